import { studio } from './studio.svelte';

/** The question for a new passphrase, before a secret is first kept in a file. */
class NewPassphrase {
  asked = $state(false);
  #answer: ((made: boolean) => void) | null = null;

  /** Returns whether a secret can be kept. Asks for a new passphrase if there is none yet. */
  async ready(): Promise<boolean> {
    if (studio.keyStore.state !== 'new') return true;
    this.asked = true;
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  settle(made: boolean): void {
    this.asked = false;
    this.#answer?.(made);
    this.#answer = null;
  }
}

export const newPassphrase = new NewPassphrase();
