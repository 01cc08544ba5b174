import type { ActivityEntry, ActivityKind, ActivityPage, Problem } from '../generated/types';
import { asProblem, call } from '../lib/bridge';

/** How many entries are asked for at once. */
const PAGE = 100;

/** What has happened on an instance, newest first, as far as it was asked for. */
export class ActivityList {
  readonly #instance: string;
  entries = $state.raw<ActivityEntry[] | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Whether older ones are on their way. */
  loading = $state(false);
  text = $state('');
  kind = $state<ActivityKind | null>(null);
  /** Where older ones begin; null where there are none. */
  #before = $state<number | null>(null);
  /** What was asked last: an answer to anything else comes too late. */
  #asked = 0;
  /** How many answers are awaited. */
  #awaited = 0;

  constructor(instance: string) {
    this.#instance = instance;
  }

  get filtered(): boolean {
    return this.text.trim() !== '' || this.kind !== null;
  }

  get hasOlder(): boolean {
    return this.#before !== null;
  }

  /** Begins anew, with what is looked for now. */
  async ask(): Promise<void> {
    const mine = ++this.#asked;
    const page = await this.#page(mine, null);
    if (page) {
      this.entries = page.entries;
      this.#before = page.before;
    }
  }

  clearFilters(): void {
    this.text = '';
    this.kind = null;
    void this.ask();
  }

  /** Adds what comes after the last. */
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

  /** Looks for what has happened meanwhile, and leaves the rest where it is. */
  async newer(): Promise<void> {
    const known = this.entries;
    // What is on its way is newer than anything, and is not to come too late for this.
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
      // So much has happened that there may be a gap.
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
        text: this.text,
        before,
        limit: PAGE,
      });
      if (mine !== this.#asked) return null;
      this.problem = null;
      return page;
    } catch (thrown) {
      if (mine === this.#asked) this.problem = asProblem(thrown);
      return null;
    } finally {
      this.#awaited -= 1;
    }
  }
}
