import { SvelteMap } from 'svelte/reactivity';

import type { Problem, Seats } from '../../generated/types';
import { asProblem, call } from '../bridge';
import { onForget } from './changes';
import { lost } from './lost.svelte';

/** Last known seats of the instances on this computer. */
class SeatsState {
  readonly #seats = new SvelteMap<string, Seats>();
  readonly #problems = new SvelteMap<string, Problem>();

  constructor() {
    onForget((instanceId) => {
      this.#seats.delete(instanceId);
      this.#problems.delete(instanceId);
    });
  }

  of(instanceId: string): Seats | null {
    return this.#seats.get(instanceId) ?? null;
  }

  /** Why the seats are unknown. */
  problem(instanceId: string): Problem | null {
    return this.#problems.get(instanceId) ?? null;
  }

  /** Takes the seats from the answer to another command. */
  take(instanceId: string, seats: Seats): void {
    this.#seats.set(instanceId, seats);
    this.#problems.delete(instanceId);
  }

  async refresh(instanceId: string): Promise<void> {
    try {
      this.take(instanceId, await call('seats', { instance: instanceId }));
    } catch (thrown) {
      // Without a connection, the last count stays.
      if (lost.of(instanceId) && this.#seats.has(instanceId)) return;
      this.#seats.delete(instanceId);
      this.#problems.set(instanceId, asProblem(thrown));
    }
  }

  /** Sets the limit and returns the previous one. Throws the problem of the Rust side. */
  async limit(instanceId: string, limit: number | null): Promise<number | null> {
    const before = this.of(instanceId)?.limit ?? null;
    this.take(instanceId, await call('seats_set', { instance: instanceId, limit }));
    return before;
  }
}

export const seats = new SeatsState();

/** `7 of 10`, `7, no limit`. */
export function seatsLabel({ used, limit }: Seats): string {
  const count = used.toLocaleString('en');
  return limit === null ? `${count}, no limit` : `${count} of ${limit.toLocaleString('en')}`;
}

/** Number of users beyond the limit. */
export function seatsOver({ used, limit }: Seats): number {
  return limit === null ? 0 : Math.max(0, used - limit);
}

/** Number of free seats; null if it is unknown or there is no limit. */
export function seatsLeft(seats: Seats | null): number | null {
  if (seats === null) return null;
  return seats.limit === null ? null : Math.max(0, seats.limit - seats.used);
}
