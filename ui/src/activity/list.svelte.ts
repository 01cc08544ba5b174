import { SvelteMap } from 'svelte/reactivity';

import type { ActivityEntry, ActivityKind, ActivityPage, Problem } from '../generated/types';
import { asProblem, call } from '../lib/bridge';
import { onForget } from '../lib/state/changes';
import { lost } from '../lib/state/lost.svelte';

/** How many entries are asked for at once. */
const PAGE = 100;

/** The last first page of each instance, without a search. A lost connection leaves it to show. */
const firstPages = new SvelteMap<string, ActivityPage>();

onForget((instanceId) => firstPages.delete(instanceId));

/** The loaded entries of an instance's activity, newest first. */
export class ActivityList {
  readonly #instance: string;
  entries = $state.raw<ActivityEntry[] | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Whether older entries are being loaded. */
  loading = $state(false);
  text = $state('');
  kind = $state<ActivityKind | null>(null);
  /** Number of the entry before which older entries begin; null without any. */
  #before = $state<number | null>(null);
  /** Number of the last request. Answers to earlier requests are dropped. */
  #asked = 0;
  /** Number of requests under way. */
  #awaited = 0;

  constructor(instance: string, text = '') {
    this.#instance = instance;
    this.text = text;
  }

  get filtered(): boolean {
    return this.text.trim() !== '' || this.kind !== null;
  }

  get hasOlder(): boolean {
    return this.#before !== null;
  }

  /** Loads the first page for the current search. */
  async ask(): Promise<void> {
    const mine = ++this.#asked;
    const { filtered } = this;
    const page = await this.#page(mine, null);
    if (page) {
      this.entries = page.entries;
      this.#before = page.before;
      if (!filtered) firstPages.set(this.#instance, page);
    }
  }

  clearFilters(): void {
    this.text = '';
    this.kind = null;
    void this.ask();
  }

  /** Adds the next page of older entries. */
  async older(): Promise<void> {
    if (this.#before === null || this.loading) return;
    const mine = ++this.#asked;
    this.loading = true;
    const page = await this.#page(mine, this.#before);
    this.loading = false;
    if (page) {
      this.entries = [...(this.entries ?? []), ...page.entries];
      this.#before = page.before;
    }
  }

  /** Adds new entries in front. The entries that are shown stay where they are. */
  async newer(): Promise<void> {
    const known = this.entries;
    // An answer under way is newer, and this request would make it count as outdated.
    if (known === null || this.#awaited > 0) return;
    const mine = ++this.#asked;
    const page = await this.#page(mine, null);
    if (!page) return;
    const newest = known[0]?.number ?? 0;
    const fresh = page.entries.filter(({ number }) => number > newest);
    if (fresh.length === 0) return;
    if (fresh.length < page.entries.length || page.before === null) {
      this.entries = [...fresh, ...known];
    } else {
      // More is new than one page holds: between it and the known entries may be a gap.
      this.entries = page.entries;
      this.#before = page.before;
    }
  }

  async #page(mine: number, before: number | null): Promise<ActivityPage | null> {
    this.#awaited += 1;
    try {
      const page = await call('activity', {
        instance: this.#instance,
        kind: this.kind,
        subject: null,
        link: null,
        text: this.text,
        before,
        limit: PAGE,
      });
      if (mine !== this.#asked) return null;
      this.problem = null;
      return page;
    } catch (thrown) {
      // Without a connection, the entries stay.
      const isLost = lost.of(this.#instance) !== null;
      const kept = this.filtered ? null : (firstPages.get(this.#instance) ?? null);
      if (isLost && this.entries === null && kept) return kept;
      const stays = isLost && this.entries !== null;
      if (mine === this.#asked && !stays) this.problem = asProblem(thrown);
      return null;
    } finally {
      this.#awaited -= 1;
    }
  }
}
