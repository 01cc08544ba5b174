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

/** An instance was removed, or a restored backup replaces it. What the window keeps of it is outdated. */
const forgotten = new Changes();

/** Calls `forget` with the ID of each instance that is removed or replaced. */
export function onForget(forget: (instanceId: string) => void): void {
  forgotten.listen(forget);
}

/** Drops all that the window keeps of an instance. */
export function forgetInstance(instanceId: string): void {
  forgotten.notify(instanceId);
}

/** The interval has passed after which TypingMind's users must be copied again. */
export const copiesDue = new Changes<[]>();
