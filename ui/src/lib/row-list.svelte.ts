/* eslint-disable svelte/prefer-svelte-reactivity -- the maps are replaced whole, or not shown */
import type { PageStart, Problem } from '../generated/types';
import { asProblem } from './bridge';
import { Latest } from './latest';
import { lost } from './state/lost.svelte';

export const BLOCK = 100;
/** Maximum number of cached blocks. The least recently seen are dropped first. */
const KEPT_BLOCKS = 40;

/** A page of rows, as the Rust side answers. */
export type RowPage<Row> = {
  rows: Row[];
  total: number;
  /** Cursor of the next page. */
  next: string | null;
};

/** The rows of a table that match a query, loaded in blocks while a person scrolls. */
export abstract class RowList<Row extends { id: string }, Query, By extends string> {
  search = $state('');
  sortBy: By;
  descending = $state(true);
  /** Number of rows that match the query; null until known. */
  total = $state<number | null>(null);
  /** Number of all rows. */
  everything = $state<number | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Whether an answer under way will replace the rows. */
  busy = $state(false);
  /** Grows whenever the rows are replaced from the first one on. */
  fresh = $state(0);

  /**
   * The query of the loaded rows. It can lag behind the fields while an answer is under way. Further
   * blocks use this query, because a cursor is valid for one query only.
   */
  answered = $state.raw() as Query;

  readonly #instanceId: string;
  #blocks = $state.raw(new Map<number, Row[]>());
  readonly #cursors = new Map<number, string>();
  /** Number of the current set of rows. Answers for earlier sets are dropped. */
  #turn = 0;
  #inSight: [first: number, end: number] = [0, BLOCK];
  #loading = false;
  /** Whether rows for the current fields are being loaded. */
  #asking = false;
  readonly #first = new Latest<Query, RowPage<Row>>(
    (query) => this.page(query, { kind: 'first' }, BLOCK),
    (page, query) => {
      this.#turn += 1;
      this.answered = query;
      this.#asking = false;
      this.#cursors.clear();
      this.#blocks = new Map();
      this.#inSight = [0, BLOCK];
      this.#take(0, page);
      this.fresh += 1;
      this.busy = false;
    },
    (thrown) => {
      this.#asking = false;
      this.#fail(thrown);
    },
  );

  /** `everything` is the query that all rows match. */
  protected constructor(instanceId: string, everything: Query, sortBy: By) {
    this.#instanceId = instanceId;
    this.answered = everything;
    this.sortBy = $state(sortBy);
  }

  /** Returns the query of the current fields. */
  protected abstract query(): Query;

  /** Returns whether a query leaves rows out. */
  protected abstract filters(query: Query): boolean;

  /** Asks the Rust side for a page. */
  protected abstract page(query: Query, place: PageStart, limit: number): Promise<RowPage<Row>>;

  /** Returns whether a column is sorted from the highest value at first. */
  protected abstract highestFirst(by: By): boolean;

  /** Asks for what is shown beside the rows, after a change of them. */
  protected abstract beside(query: Query): Promise<void>;

  protected get instanceId(): string {
    return this.#instanceId;
  }

  /** Whether the rows are filtered. */
  get filtered(): boolean {
    return this.filters(this.answered);
  }

  row(index: number): Row | null {
    return this.#blocks.get(Math.floor(index / BLOCK))?.[index % BLOCK] ?? null;
  }

  /** Returns the index of a row among the loaded ones. */
  indexOf(id: string): number | null {
    for (const [block, rows] of this.#blocks) {
      const at = rows.findIndex((row) => row.id === id);
      if (at >= 0) return block * BLOCK + at;
    }
    return null;
  }

  /** Loads the rows for the current fields. The old rows stay until then. */
  ask(): void {
    this.busy = true;
    this.#asking = true;
    this.#first.ask(this.query());
  }

  sort(by: By): void {
    this.descending = by === this.sortBy ? !this.descending : this.highestFirst(by);
    this.sortBy = by;
    this.ask();
  }

  /** Returns the order by a column; null if the rows are sorted by another. */
  orderOf(by: By): 'ascending' | 'descending' | null {
    if (by !== this.sortBy) return null;
    return this.descending ? 'descending' : 'ascending';
  }

  /** Loads missing blocks of the rows in sight. */
  see(first: number, end: number): void {
    this.#inSight = [first, end];
    for (const block of this.#wanted()) {
      const rows = this.#blocks.get(block);
      // Moves the block to the end of the cache. No template depends on the order.
      if (rows && this.#blocks.delete(block)) this.#blocks.set(block, rows);
    }
    void this.#load();
  }

  /** Loads the rows in sight again after a change of them. The scroll position stays. */
  async reload(): Promise<void> {
    // The loaded rows are about to be replaced.
    if (this.#asking) {
      this.ask();
      return;
    }
    const turn = ++this.#turn;
    const query = this.answered;
    this.busy = true;
    try {
      const wanted = this.#wanted();
      const pages = await Promise.all(
        wanted.map((block) => this.page(query, { kind: 'row', row: block * BLOCK }, BLOCK)),
      );
      await this.beside(query);
      if (turn !== this.#turn) return;
      this.#cursors.clear();
      this.#blocks = new Map();
      pages.forEach((page, at) => {
        const block = wanted[at];
        if (block !== undefined) this.#take(block, page);
      });
      this.busy = this.#asking;
    } catch (thrown) {
      if (turn === this.#turn) this.#fail(thrown);
    }
  }

  settled(): Promise<void> {
    return this.#first.settled();
  }

  async #load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    let turn = this.#turn;
    try {
      for (;;) {
        const block = this.#wanted().find((wanted) => !this.#blocks.has(wanted));
        if (block === undefined || this.problem) return;
        turn = this.#turn;
        const cursor = this.#cursors.get(block - 1);
        const place: PageStart =
          cursor === undefined ? { kind: 'row', row: block * BLOCK } : { kind: 'after', cursor };
        const page = await this.page(this.answered, place, BLOCK);
        if (turn === this.#turn) this.#take(block, page);
      }
    } catch (thrown) {
      if (turn === this.#turn) this.#fail(thrown);
    } finally {
      this.#loading = false;
    }
    // The failed block belongs to an earlier set of rows. Load the current one.
    if (turn !== this.#turn) void this.#load();
  }

  #wanted(): number[] {
    const [first, end] = this.#inSight;
    const last = Math.max(first, Math.min(end, this.total ?? end) - 1);
    const blocks: number[] = [];
    for (let block = Math.floor(first / BLOCK); block <= Math.floor(last / BLOCK); block++) {
      blocks.push(block);
    }
    return blocks;
  }

  #take(block: number, page: RowPage<Row>): void {
    const blocks = new Map(this.#blocks);
    blocks.delete(block);
    blocks.set(block, page.rows);
    for (const old of blocks.keys()) {
      if (blocks.size <= KEPT_BLOCKS) break;
      blocks.delete(old);
    }
    this.#blocks = blocks;
    if (page.next === null) this.#cursors.delete(block);
    else this.#cursors.set(block, page.next);
    this.total = page.total;
    if (!this.filtered) this.everything = page.total;
    this.problem = null;
  }

  #fail(thrown: unknown): void {
    this.busy = false;
    // Without a connection, the rows stay.
    if (lost.of(this.#instanceId) && this.total !== null) return;
    this.problem = asProblem(thrown);
  }
}

/** Returns a function that returns the list of an instance. Its search is kept while other screens are open. */
export function listsOf<List>(
  make: (instanceId: string) => List,
  onForget: (forget: (instanceId: string) => void) => void,
): (instanceId: string) => List {
  const lists = new Map<string, List>();
  onForget((instanceId) => lists.delete(instanceId));
  return (instanceId) => {
    let list = lists.get(instanceId);
    if (!list) {
      list = make(instanceId);
      lists.set(instanceId, list);
    }
    return list;
  };
}

/** Returns `12 of 1,204` for a filtered list and `1,204` for all rows. */
export function countLabel(total: number, everything: number | null, filtered: boolean): string {
  const count = total.toLocaleString('en');
  return filtered && everything !== null ? `${count} of ${everything.toLocaleString('en')}` : count;
}
