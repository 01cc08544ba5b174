import { SvelteMap } from 'svelte/reactivity';

import type { Problem, RemoteGateway } from '../../generated/types';
import { asProblem, call, hearProblems } from '../bridge';
import { hostOf } from '../hosted';
import { activityChanges, onForget, userChanges } from './changes';
import { lost, lostCause, type Lost } from './lost.svelte';
import { seats } from './seats.svelte';
import { studio } from './studio.svelte';
import { toasts } from './toasts.svelte';

/** Milliseconds between two checks of a connection that works. */
const BEAT_MS = 3000;
/** Milliseconds before each next try of a lost connection. The last one is repeated. */
const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];

/** Checks of the connections to gateways on servers. Only the shown instance is checked. */
class Connections {
  readonly #states = new SvelteMap<string, RemoteGateway>();
  /** Problems of gateways that answer, such as a scope that the key lacks. */
  readonly #problems = new SvelteMap<string, Problem>();
  readonly #checking = new SvelteMap<string, Promise<void>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The instance that is shown. */
  #watched: string | null = null;

  constructor() {
    hearProblems((id, problem) => this.#heard(id, problem));
    onForget((id) => {
      lost.delete(id);
      this.#states.delete(id);
      this.#problems.delete(id);
      this.#checking.delete(id);
    });
  }

  /** Returns the last known state of a gateway; null before its first answer. */
  stateOf(id: string): RemoteGateway | null {
    return this.#states.get(id) ?? null;
  }

  /** Returns why a gateway that answers does not tell its state. */
  problemOf(id: string): Problem | null {
    return this.#problems.get(id) ?? null;
  }

  isChecking(id: string): boolean {
    return this.#checking.has(id);
  }

  /** Checks a connection now and again, until the returned function is called. */
  watch(id: string): () => void {
    this.#watched = id;
    // A refused key is sent again only if a person wants that.
    if (retriesItself(lost.of(id))) void this.check(id);
    return () => {
      if (this.#watched === id) this.#watched = null;
      clearTimeout(this.#timer);
    };
  }

  /** Asks the gateway for its state, once at a time. */
  async check(id: string): Promise<void> {
    const underWay = this.#checking.get(id);
    if (underWay) return underWay;
    const check = this.#check(id);
    this.#checking.set(id, check);
    try {
      await check;
    } finally {
      if (this.#checking.get(id) === check) this.#checking.delete(id);
      this.#plan(id);
    }
  }

  async #check(id: string): Promise<void> {
    try {
      this.#states.set(id, await call('gateway_remote', { instance: id }));
      this.#problems.delete(id);
      this.#isBack(id);
    } catch (thrown) {
      // `#heard` takes the problem of a lost connection. With another one, the gateway answers.
      const problem = asProblem(thrown);
      if (lostCause(problem) !== null) return;
      if (problem.code === 'busy' && lost.of(id)) {
        toasts.warn(problem.message);
        return;
      }
      this.#problems.set(id, problem);
      this.#states.delete(id);
      this.#isBack(id);
    }
  }

  /** Takes an event of a gateway that counts as out of reach: its stream of changes may be back. */
  stirred(id: string): void {
    const state = lost.of(id);
    if (state && retriesItself(state)) void this.check(id);
  }

  /**
   * Checks a connection that a person has mended, such as by a new key. The banner stays until the
   * gateway has answered.
   */
  async mended(id: string): Promise<void> {
    // A check that is under way has the old key.
    await this.#checking.get(id);
    await this.check(id);
  }

  #heard(id: string, problem: Problem): void {
    const cause = lostCause(problem);
    if (cause === null || instanceOf(id)?.hosted !== 'gateway') return;
    const before = lost.of(id);
    const { since, tries, nextAt } = before ?? {
      since: Math.floor(Date.now() / 1000),
      tries: 0,
      nextAt: null,
    };
    lost.set(id, { cause, problem, since, tries, nextAt });
    if (!before && !this.isChecking(id)) this.#plan(id);
  }

  #isBack(id: string): void {
    if (!lost.delete(id)) return;
    const instance = instanceOf(id);
    toasts.say(`Connected to ${(instance && hostOf(instance)) ?? 'the gateway'} again.`);
    void seats.refresh(id);
    userChanges.notify(id);
    activityChanges.notify(id);
  }

  /** Plans the next check of the instance that is shown. */
  #plan(id: string): void {
    if (this.#watched !== id) return;
    clearTimeout(this.#timer);
    const now = lost.of(id);
    if (!now) {
      this.#timer = setTimeout(() => void this.check(id), BEAT_MS);
      return;
    }
    const pause = retriesItself(now) ? (PAUSES_MS[now.tries] ?? PAUSES_MS.at(-1) ?? null) : null;
    const nextAt = pause === null ? null : Date.now() + pause;
    lost.set(id, { ...now, tries: now.tries + 1, nextAt });
    if (pause !== null) this.#timer = setTimeout(() => void this.check(id), pause);
  }
}

/**
 * Whether Studio checks a connection by itself. It does not with a refused key, because a gateway
 * locks out an address that sends a wrong key again and again.
 */
function retriesItself(state: Lost | null): boolean {
  return state?.cause !== 'key_refused';
}

function instanceOf(id: string) {
  return studio.instances.find((one) => one.id === id);
}

export const connections = new Connections();
