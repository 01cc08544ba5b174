type Listener = (instanceId: string) => void;

/** The screens that listen for a kind of change. */
class Changes {
  readonly #listeners = new Set<Listener>();

  notify(instanceId: string): void {
    for (const listener of this.#listeners) listener(instanceId);
  }

  /** Calls `listener` at each change, until the function that is returned is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The activity of an instance has new entries. */
export const activityChanges = new Changes();

/** Users of an instance are not what they were. */
export const userChanges = new Changes();
