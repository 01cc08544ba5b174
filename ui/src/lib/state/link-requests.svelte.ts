import { SvelteMap } from 'svelte/reactivity';

import type { OpenRequest, Problem } from '../../generated/types';
import { asProblem, call } from '../bridge';
import { Latest } from '../latest';
import { activityChanges, onForget } from './changes';
import { lost } from './lost.svelte';

/** Open requests for new links, by instance. */
class LinkRequests {
  readonly #open = new SvelteMap<string, OpenRequest[]>();
  readonly #problems = new SvelteMap<string, Problem>();
  readonly #asking = new Latest<string, OpenRequest[]>(
    (instance) => call('link_requests', { instance }),
    (open, instance) => {
      this.#open.set(instance, open);
      this.#problems.delete(instance);
    },
    (thrown, instance) => {
      // Without a connection, the last requests stay.
      if (lost.of(instance) && this.#open.has(instance)) return;
      this.#open.delete(instance);
      this.#problems.set(instance, asProblem(thrown));
    },
  );

  constructor() {
    onForget((instance) => {
      this.#open.delete(instance);
      this.#problems.delete(instance);
    });
  }

  /** The requests, the newest first; null until they are known. */
  of(instance: string): OpenRequest[] | null {
    return this.#open.get(instance) ?? null;
  }

  /** Number of requests; 0 until it is known. */
  count(instance: string): number {
    return this.of(instance)?.length ?? 0;
  }

  /** Why the requests are unknown. */
  problem(instance: string): Problem | null {
    return this.#problems.get(instance) ?? null;
  }

  ask(instance: string): void {
    this.#asking.ask(instance);
  }

  /** Asks for the requests. Resolves when they are there. */
  async read(instance: string): Promise<void> {
    this.ask(instance);
    await this.#asking.settled();
  }

  /** Follows the requests of an instance until the returned function is called. */
  watch(instance: string): () => void {
    this.ask(instance);
    return activityChanges.listen((changed) => {
      if (changed === instance) this.ask(instance);
    });
  }
}

export const linkRequests = new LinkRequests();

/** `1 person has asked for a new link`. */
export function requestsLabel(count: number): string {
  const people = count === 1 ? '1 person has' : `${count.toLocaleString('en')} people have`;
  return `${people} asked for a new link`;
}
