import { SvelteMap } from 'svelte/reactivity';

import { onForget } from './changes';
import { studio } from './studio.svelte';

/** The row whose panel is open, by instance. */
class Selection {
  readonly #selected = new SvelteMap<string, string>();

  constructor() {
    onForget((instanceId) => this.clear(instanceId));
  }

  of(instanceId: string): string | null {
    return this.#selected.get(instanceId) ?? null;
  }

  select(instanceId: string, id: string): void {
    this.#selected.set(instanceId, id);
  }

  clear(instanceId: string): void {
    this.#selected.delete(instanceId);
  }
}

/** The user whose panel is open. */
export const selection = new Selection();

/** The link whose panel is open. */
export const linkSelection = new Selection();

/** Opens the screen of users with the panel of a user. */
export function showUser(instanceId: string, userId: string): void {
  selection.select(instanceId, userId);
  studio.open('users');
}

/** Opens the screen of links with the panel of a link. */
export function showLink(instanceId: string, linkId: string): void {
  linkSelection.select(instanceId, linkId);
  studio.open('links');
}
