import { SvelteMap } from 'svelte/reactivity';

import { onForget } from './changes';
import { studio } from './studio.svelte';

const selected = new SvelteMap<string, string>();

/** The user whose panel is open, by instance. */
export const selection = {
  of: (instanceId: string): string | null => selected.get(instanceId) ?? null,
  select: (instanceId: string, userId: string): void => {
    selected.set(instanceId, userId);
  },
  clear: (instanceId: string): void => {
    selected.delete(instanceId);
  },
};

onForget((instanceId) => selection.clear(instanceId));

/** Opens the screen of users with the panel of a user. */
export function showUser(instanceId: string, userId: string): void {
  selection.select(instanceId, userId);
  studio.open('users');
}
