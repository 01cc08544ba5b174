import { untrack } from 'svelte';

/** The dialogs that are open, the topmost last. What is behind the topmost one is out of reach. */
class DialogStack {
  #open = $state.raw<symbol[]>([]);

  /** The topmost dialog; null where none is open. */
  get top(): symbol | null {
    return this.#open.at(-1) ?? null;
  }

  /** Adds a dialog on top. Removes it when what is returned is called. */
  add(layer: symbol): () => void {
    this.#open = [...untrack(() => this.#open), layer];
    return () => {
      this.#open = this.#open.filter((other) => other !== layer);
    };
  }
}

export const dialogStack = new DialogStack();
