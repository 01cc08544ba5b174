import { SvelteMap } from 'svelte/reactivity';

import type { ErrorCode, Problem } from '../../generated/types';

/** Causes of a lost connection. */
const CAUSES = [
  'unreachable',
  'wrong_certificate',
  'key_refused',
  'older_gateway',
  'newer_gateway',
] as const;
export type LostCause = (typeof CAUSES)[number];

/** A connection to a gateway on a server that is lost. */
export type Lost = {
  cause: LostCause;
  problem: Problem;
  /** When it was lost, in Unix seconds. */
  since: number;
  /** Number of tries since then. */
  tries: number;
  /** Time of the next try in milliseconds; null if only a person tries again. */
  nextAt: number | null;
};

/** The lost connections, by instance. What a screen shows of such an instance stays. */
class LostConnections {
  readonly #lost = new SvelteMap<string, Lost>();

  /** Returns the lost connection of an instance; null if it works or there is none. */
  of(id: string): Lost | null {
    return this.#lost.get(id) ?? null;
  }

  /** Returns why an instance cannot be changed now; null if it can. */
  reason(id: string): string | null {
    return this.#lost.has(id) ? 'Not possible until the connection is back.' : null;
  }

  set(id: string, lost: Lost): void {
    this.#lost.set(id, lost);
  }

  /** Returns whether the connection was lost. */
  delete(id: string): boolean {
    return this.#lost.delete(id);
  }
}

export const lost = new LostConnections();

/** Returns the cause if a problem is that of a lost connection. */
export function lostCause({ code }: Pick<Problem, 'code'>): LostCause | null {
  return CAUSES.find((cause: ErrorCode) => cause === code) ?? null;
}
