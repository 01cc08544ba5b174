import { studio } from './studio.svelte';

/** The question for a new passphrase: asked where a secret is about to be kept in a file. */
class NewPassphrase {
  asked = $state(false);
  #answer: ((made: boolean) => void) | null = null;

  /** Whether a secret can be kept now; asks for a passphrase where one is to be chosen. */
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
