type Listener<About extends unknown[]> = (...about: About) => void;

/** Listeners for one kind of change. */
class Changes<About extends unknown[] = [instanceId: string]> {
  readonly #listeners = new Set<Listener<About>>();

  notify(...about: About): void {
    for (const listener of this.#listeners) listener(...about);
  }

  /** Calls `listener` at each change. The returned function ends that. */
  listen(listener: Listener<About>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The activity of an instance has new entries. */
export const activityChanges = new Changes();

/** Users of an instance have changed. */
export const userChanges = new Changes();

/** The interval has passed after which TypingMind's users must be copied again. */
export const copiesDue = new Changes<[]>();
