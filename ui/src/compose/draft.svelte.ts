import type { ComposeRequest, Instance, Who } from '../generated/types';
import { hasUsers } from '../lib/hosted';
import { CUSTOM } from '../lib/lifetimes';
import { UserDraft, type KnownFields } from '../lib/user-fields/user-draft.svelte';

export type WhoKind = Who['kind'];

/** Content of the form in Compose. */
export class Draft extends UserDraft {
  mode = $state<'existing' | 'new'>('existing');
  /** Text of the field for an existing person: an e-mail address or an ID. */
  person = $state('');
  /** Whether a text with an `@` is an ID and no address. */
  isId = $state(false);
  idAsText = $state(false);
  /** Whether the list below the field offers people for the typed text. */
  offersPeople = $state(false);
  /** The lifetime that was chosen; null for the instance's own. */
  chosenLifetime = $state<string | null>(null);
  customLifetime = $state('');
  once = $state(false);
  startsLater = $state(false);
  notBefore = $state('');

  /** The kind of payload that the form makes. */
  get kind(): WhoKind {
    if (this.mode === 'new') return 'user';
    return this.looksLikeEmail && !this.isId ? 'email' : 'id';
  }

  get looksLikeEmail(): boolean {
    return this.person.includes('@');
  }

  /** Whether the ID could be sent as a number. */
  get idIsDigits(): boolean {
    return this.kind === 'id' && /^\d+$/u.test(this.person.trim());
  }

  /** The field without which there is no link. */
  get required(): 'person' | 'user.id' {
    return this.mode === 'new' ? 'user.id' : 'person';
  }

  /** The best known name of the person. */
  get title(): string {
    return this.mode === 'new' ? this.name : this.person.trim();
  }

  /** The typed person as fields of a new user. */
  get known(): KnownFields {
    if (this.mode === 'new') {
      return { id: this.userId, email: this.userEmail, name: this.metadata.name };
    }
    const text = this.person.trim();
    if (this.kind === 'email') return { email: text };
    return text.includes(' ') ? { name: text } : { id: text };
  }

  /** Returns the field of the form that shows a problem of `field`. */
  fieldOf(field: string): string {
    if (field === 'email' || field === 'id') return 'person';
    return field.startsWith('metadata') ? 'metadata' : field;
  }

  /** Fills in an existing person by ID. */
  choose(id: string, asText = false): void {
    this.mode = 'existing';
    this.person = id;
    this.isId = true;
    this.idAsText = asText;
  }

  /** Fills in an existing person by e-mail address. */
  chooseEmail(email: string): void {
    this.mode = 'existing';
    this.person = email;
    this.isId = false;
  }

  /** Takes the typed text over into the form for a new person. */
  makeNew(): void {
    this.fill(this.known);
    this.mode = 'new';
  }

  /** Clears the person and keeps the terms. */
  clearPerson(): void {
    this.person = '';
    this.isId = false;
    this.idAsText = false;
    this.clearUser();
  }

  /** Returns the request for a preview; null until the form names a person. */
  request(instance: Instance): ComposeRequest | null {
    if (!this.#begun()) return null;
    const lifetime = this.chosenLifetime ?? instance.lifetime;
    return {
      instance: instance.id,
      who: this.#who(),
      expires_in: lifetime === CUSTOM ? this.customLifetime : lifetime,
      not_before: this.startsLater && this.notBefore !== '' ? this.notBefore : null,
      single_use: this.once && hasUsers(instance),
      anew: false,
    };
  }

  #begun(): boolean {
    const value = this.mode === 'new' ? this.userId : this.person;
    return value.trim() !== '' || this.touches.has(this.required);
  }

  #who(): Who {
    switch (this.kind) {
      case 'email':
        return { kind: 'email', email: this.person };
      case 'id':
        return { kind: 'id', id: this.person, as_text: this.idAsText };
      case 'user':
        return {
          kind: 'user',
          id: this.userId,
          email: this.userEmail,
          metadata: this.metadata.input,
        };
    }
  }
}
