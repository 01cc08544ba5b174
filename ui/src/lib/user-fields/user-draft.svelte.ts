import { derivedId } from './derived-id';
import { MetadataDraft } from './metadata-draft.svelte';
import { Touches } from './touches.svelte';

/** Fields of a new user that are known before somebody fills in the form. */
export type KnownFields = { id?: string; email?: string; name?: string };

/** A new user while its form is edited. */
export class UserDraft {
  userEmail = $state('');
  readonly metadata = new MetadataDraft();
  readonly touches = new Touches();
  /** The ID that was typed; null while it follows from e-mail and name. */
  #typedId = $state<string | null>(null);

  get userId(): string {
    return this.#typedId ?? derivedId(this.userEmail, this.metadata.name);
  }

  set userId(id: string) {
    this.#typedId = id;
  }

  /** Source of a derived ID; null for a typed or an empty ID. */
  get idSource(): 'e-mail' | 'name' | null {
    if (this.#typedId !== null || this.userId === '') return null;
    return derivedId(this.userEmail, '') === '' ? 'name' : 'e-mail';
  }

  /** The best known name of the user. */
  get name(): string {
    const names = [this.metadata.name, this.userEmail, this.userId];
    return names.map((name) => name.trim()).find((name) => name !== '') ?? '';
  }

  /** Fills in the fields that are known. */
  fill({ id, email, name }: KnownFields): void {
    if (id !== undefined) this.userId = id;
    if (email !== undefined) this.userEmail = email;
    if (name !== undefined) this.metadata.name = name;
  }

  clearUser(): void {
    this.userEmail = '';
    this.#typedId = null;
    this.metadata.clear();
    this.touches.clear();
  }
}
