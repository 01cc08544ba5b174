import { SvelteMap, SvelteSet } from 'svelte/reactivity';

import type { Instance, Problem } from '../../generated/types';
import { asProblem, call } from '../bridge';
import { copiesDue, onForget } from './changes';
import { studio } from './studio.svelte';

/** Copies of TypingMind's users: their age, whether they are being made, and why that failed. */
class Copies {
  readonly #at = new SvelteMap<string, number>();
  readonly #problems = new SvelteMap<string, Problem>();
  readonly #busy = new SvelteSet<string>();

  /** Time of the copy in Unix seconds; null until known. */
  at(instanceId: string): number | null {
    return this.#at.get(instanceId) ?? null;
  }

  /** Why the last copying failed. */
  problem(instanceId: string): Problem | null {
    return this.#problems.get(instanceId) ?? null;
  }

  busy(instanceId: string): boolean {
    return this.#busy.has(instanceId);
  }

  /** Takes the time of the copy from the answer to another command. */
  take(instanceId: string, at: number | null): void {
    if (at === null) this.#at.delete(instanceId);
    else this.#at.set(instanceId, at);
  }

  /** Asks only for the time of the copy. */
  async look(instanceId: string): Promise<void> {
    try {
      const { at } = await call('typingmind_users', {
        instance: instanceId,
        search: '',
        group: null,
        sort_by: 'email',
        descending: false,
        first: 0,
        limit: 1,
      });
      this.take(instanceId, at);
    } catch {
      // The screen of users says what is wrong.
      this.take(instanceId, null);
    }
  }

  /** Copies the users. A failure keeps the last copy. Returns the number of users; null if it failed. */
  async sync(instanceId: string): Promise<number | null> {
    if (this.#busy.has(instanceId)) return null;
    this.#busy.add(instanceId);
    try {
      const { at, users } = await call('typingmind_sync', { instance: instanceId });
      this.take(instanceId, at);
      this.#problems.delete(instanceId);
      return users;
    } catch (thrown) {
      this.#problems.set(instanceId, asProblem(thrown));
      return null;
    } finally {
      this.#busy.delete(instanceId);
    }
  }

  /** Forgets the copy of an instance that is no longer connected. */
  forget(instanceId: string): void {
    this.#at.delete(instanceId);
    this.#problems.delete(instanceId);
  }

  /** Copies the users of all connected instances whenever that is due. The returned function ends that. */
  keepCurrent(): () => void {
    return copiesDue.listen(() => {
      for (const instance of studio.instances.filter(isConnected)) void this.sync(instance.id);
    });
  }
}

/** Whether the users of an instance can be copied from TypingMind. */
export function isConnected({ hosted, typingmind }: Instance): boolean {
  return hosted === 'elsewhere' && typingmind !== null && typingmind.key_set_at !== null;
}

export const copies = new Copies();

onForget((instanceId) => copies.forget(instanceId));
