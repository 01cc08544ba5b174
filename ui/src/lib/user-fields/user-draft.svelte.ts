import { MetadataDraft } from './metadata-draft.svelte';
import { Touches } from './touches.svelte';

/** A new user while its form is edited. */
export class UserDraft {
  userId = $state('');
  userEmail = $state('');
  readonly metadata = new MetadataDraft();
  readonly touches = new Touches();
}
