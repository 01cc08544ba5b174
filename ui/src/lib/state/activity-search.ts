import { studio } from './studio.svelte';

let wanted = '';

/** Opens Activity with a search, such as for a user's ID. */
export function searchActivity(text: string): void {
  wanted = text;
  studio.open('activity');
}

/** Returns the search that another screen asked for, once. */
export function takeActivitySearch(): string {
  const text = wanted;
  wanted = '';
  return text;
}
