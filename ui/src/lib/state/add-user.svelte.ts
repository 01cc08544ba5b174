import type { KnownFields } from '../user-fields/user-draft.svelte';
import { studio } from './studio.svelte';

/** The dialog for a new user, which other screens and the palette open, too. */
export const adding = $state<{ open: boolean; known: KnownFields }>({ open: false, known: {} });

/** Opens the screen of users with the dialog for a new user. */
export function addUser(known: KnownFields = {}): void {
  studio.open('users');
  adding.known = known;
  adding.open = true;
}
