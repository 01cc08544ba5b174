import { SvelteSet } from 'svelte/reactivity';

/** How long somebody pauses before what they typed is taken for finished. */
const PAUSE_MS = 900;

/**
 * The fields that somebody typed in and then left, or paused in. Only these show an error: nobody
 * is told that `ada@` is no address while typing it.
 */
export class Touches {
  readonly #touched = new SvelteSet<string>();
  // Nothing shows it.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  readonly #typed = new Set<string>();
  #pause: ReturnType<typeof setTimeout> | undefined;

  has(field: string): boolean {
    return this.#touched.has(field);
  }

  typed(field: string): void {
    this.#typed.add(field);
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#touched.add(field), PAUSE_MS);
  }

  left(field: string): void {
    if (this.#typed.has(field)) this.#touched.add(field);
  }

  /** As when a field is asked for that was passed over. */
  touch(field: string): void {
    this.#touched.add(field);
  }
}
