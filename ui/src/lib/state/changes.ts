type Listener = (instanceId: string) => void;

/** Listeners for one kind of change. */
class Changes {
  readonly #listeners = new Set<Listener>();

  notify(instanceId: string): void {
    for (const listener of this.#listeners) listener(instanceId);
  }

  /** Calls `listener` at each change. The returned function ends that. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The activity of an instance has new entries. */
export const activityChanges = new Changes();

/** Users of an instance have changed. */
export const userChanges = new Changes();
