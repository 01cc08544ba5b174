import type { ComposeRequest, Instance, Who } from '../generated/types';
import { CUSTOM } from '../lib/lifetimes';
import { UserDraft } from '../lib/user-fields/user-draft.svelte';

export type WhoKind = Who['kind'];

/** The field without which there is no link, by the kind of payload. */
const REQUIRED = { email: 'email', id: 'id', user: 'user.id' } as const;

/** Content of the form in Compose. */
export class Draft extends UserDraft {
  kind = $state<WhoKind>('email');
  email = $state('');
  id = $state('');
  idAsText = $state(false);
  /** The lifetime that was chosen; null for the instance's own. */
  chosenLifetime = $state<string | null>(null);
  customLifetime = $state('');
  once = $state(false);
  startsLater = $state(false);
  notBefore = $state('');

  get required(): (typeof REQUIRED)[WhoKind] {
    return REQUIRED[this.kind];
  }

  /** Whether the ID could be sent as a number. */
  get idIsDigits(): boolean {
    return /^\d+$/u.test(this.id.trim());
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
      single_use: this.once && instance.hosted === 'here',
      anew: false,
    };
  }

  #begun(): boolean {
    const values = { email: this.email, id: this.id, user: this.userId };
    return values[this.kind].trim() !== '' || this.touches.has(this.required);
  }

  #who(): Who {
    switch (this.kind) {
      case 'email':
        return { kind: 'email', email: this.email };
      case 'id':
        return { kind: 'id', id: this.id, as_text: this.idAsText };
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
