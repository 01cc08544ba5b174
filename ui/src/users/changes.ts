type Listener = (instanceId: string) => void;

const listeners = new Set<Listener>();

/** Says that the users of an instance are not what they were. */
export function usersChanged(instanceId: string): void {
  for (const listener of listeners) listener(instanceId);
}

/** Hears of it, until what is answered is called. */
export function onUsersChanged(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
