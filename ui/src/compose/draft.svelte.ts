import type { ComposeRequest, Instance, LinkNotes, LinkTerms, Who } from '../generated/types';
import { hasUsers } from '../lib/hosted';
import { CUSTOM, lifetimes } from '../lib/lifetimes';
import { AccountEndDraft } from '../lib/user-fields/account-end.svelte';
import { UserDraft, type KnownFields } from '../lib/user-fields/user-draft.svelte';

export type WhoKind = Who['kind'];

/** How often a link can be used. */
export type Often = 'any' | 'once' | 'times';

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
  often = $state<Often>('any');
  /** Typed number of uses. */
  times = $state('3');
  /** How the account of a new person ends. */
  readonly accountEnd = new AccountEndDraft();
  /** Whether older links of the person stop working. */
  supersedes = $state(false);
  /** Whether a short link is given out in place of the long one. */
  short = $state(false);
  /** Note for oneself. */
  note = $state('');
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
    this.note = '';
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
      uses: hasUsers(instance) ? this.#uses() : null,
      account_ends: hasUsers(instance) && this.mode === 'new' ? this.accountEnd.text : null,
      anew: false,
    };
  }

  /** Whether a short link is given out. An application elsewhere knows none. */
  isShort(instance: Instance): boolean {
    return this.short && hasUsers(instance);
  }

  /** Note, supersession and short link. An application elsewhere stops no older link. */
  notes(instance: Instance): LinkNotes {
    return {
      note: this.note,
      supersedes: this.supersedes && hasUsers(instance),
      short: this.isShort(instance),
    };
  }

  /** Fills in the person, the terms and the note of another link. */
  take({ who, expires_in, uses, account_ends, note }: LinkTerms): void {
    this.clearPerson();
    switch (who.kind) {
      case 'email':
        this.chooseEmail(who.email);
        break;
      case 'id':
        this.choose(who.id, who.as_text);
        break;
      case 'user':
        this.mode = 'new';
        this.metadata.take(who.metadata);
        this.fill({ id: who.id, email: who.email });
    }
    if (expires_in !== null) {
      const isListed = lifetimes(expires_in).length === lifetimes('never').length;
      this.chosenLifetime = isListed ? expires_in : CUSTOM;
      if (!isListed) this.customLifetime = expires_in;
    }
    this.often = uses === null ? 'any' : uses === 1 ? 'once' : 'times';
    if (uses !== null && uses > 1) this.times = String(uses);
    this.accountEnd.take(account_ends);
    this.startsLater = false;
    this.note = note;
  }

  /** Number of sign-ins; null for no limit. The Rust side refuses 0. */
  #uses(): number | null {
    if (this.often === 'any') return null;
    if (this.often === 'once') return 1;
    return /^\d{1,9}$/u.test(this.times.trim()) ? Number(this.times) : 0;
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
