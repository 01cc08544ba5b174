import { untrack } from 'svelte';

/** The open dialogs, the topmost last. */
class DialogStack {
  #open = $state.raw<symbol[]>([]);

  /** The topmost dialog; null if none is open. */
  get top(): symbol | null {
    return this.#open.at(-1) ?? null;
  }

  /** Adds a dialog on top. The returned function removes it. */
  add(layer: symbol): () => void {
    this.#open = [...untrack(() => this.#open), layer];
    return () => {
      this.#open = this.#open.filter((other) => other !== layer);
    };
  }
}

export const dialogStack = new DialogStack();
