import { SvelteSet } from 'svelte/reactivity';

/** Pause after which typed text counts as finished. */
const PAUSE_MS = 900;

/**
 * Fields that a person typed in and then left or paused in. Only these show an error, so that `ada@` is
 * not called invalid while a person types it.
 */
export class Touches {
  readonly #touched = new SvelteSet<string>();
  // No template reads this set.
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

  /** Marks a field, for example a required field that is empty. */
  touch(field: string): void {
    this.#touched.add(field);
  }

  /** Forgets all fields. */
  clear(): void {
    clearTimeout(this.#pause);
    this.#touched.clear();
    this.#typed.clear();
  }
}
