/* eslint-disable svelte/prefer-svelte-reactivity -- the maps are replaced whole, or not shown */
import type {
  Origin,
  PageStart,
  Problem,
  SortBy,
  Status,
  User,
  UserPage,
  UserQuery,
  Warning,
} from '../generated/types';
import { asProblem, call } from '../lib/bridge';
import { Latest } from '../lib/latest';

export const BLOCK = 100;
/** So many blocks are kept; those that were looked at longest ago go first. */
const KEPT_BLOCKS = 40;

const EVERYBODY: UserQuery = {
  search: '',
  status: null,
  origin: null,
  sort_by: 'id',
  descending: false,
};

function isFiltered({ search, status, origin }: UserQuery): boolean {
  return search.trim() !== '' || status !== null || origin !== null;
}

/** The users that are asked for, in blocks of rows that come as they are scrolled to. */
export class UserList {
  search = $state('');
  status = $state<Status | null>(null);
  origin = $state<Origin | null>(null);
  sortBy = $state<SortBy>('last_sign_in');
  descending = $state(true);
  /** How many answer the query; null until that is known. */
  total = $state<number | null>(null);
  /** How many users there are. */
  everybody = $state<number | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Notices about users that need the administrator. */
  notices = $state.raw<Warning[]>([]);
  /** Whether an answer is on the way that changes which rows there are. */
  busy = $state(false);
  /** Grows when the rows begin anew, at the first. */
  fresh = $state(0);

  /**
   * What the rows that are there answer. While another answer is on the way this is not what the
   * fields say, and more of these rows are asked for in the same words: a cursor fits no others.
   */
  answered = $state.raw<UserQuery>(EVERYBODY);

  readonly #instanceId: string;
  #blocks = $state.raw(new Map<number, User[]>());
  readonly #cursors = new Map<number, string>();
  /** What rows are asked for at the moment; answers to anything else are dropped. */
  #turn = 0;
  #inSight: [first: number, end: number] = [0, BLOCK];
  #loading = false;
  /** Whether rows for what the fields say are on the way. */
  #asking = false;
  readonly #first = new Latest<UserQuery, UserPage>(
    (query) => this.#page(query, { kind: 'first' }),
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

  constructor(instanceId: string) {
    this.#instanceId = instanceId;
  }

  /** Whether the rows are not everybody. */
  get filtered(): boolean {
    return isFiltered(this.answered);
  }

  row(index: number): User | null {
    return this.#blocks.get(Math.floor(index / BLOCK))?.[index % BLOCK] ?? null;
  }

  /** The row of a user, among those that are there. */
  indexOf(id: string): number | null {
    for (const [block, users] of this.#blocks) {
      const at = users.findIndex((user) => user.id === id);
      if (at >= 0) return block * BLOCK + at;
    }
    return null;
  }

  /** The query has changed: begins anew. The old rows stay until the new ones are there. */
  ask(): void {
    this.busy = true;
    this.#asking = true;
    this.#first.ask({
      search: this.search,
      status: this.status,
      origin: this.origin,
      sort_by: this.sortBy,
      descending: this.descending,
    });
  }

  sort(by: SortBy): void {
    // Names begin with A, times with the newest.
    this.descending =
      by === this.sortBy ? !this.descending : by === 'created' || by === 'last_sign_in';
    this.sortBy = by;
    this.ask();
  }

  clearFilters(): void {
    this.search = '';
    this.status = null;
    this.origin = null;
    this.ask();
  }

  /** These rows are in sight; what is missing of them is fetched. */
  see(first: number, end: number): void {
    this.#inSight = [first, end];
    for (const block of this.#wanted()) {
      const users = this.#blocks.get(block);
      // To the end of those that are kept; nothing on the screen depends on their order.
      if (users && this.#blocks.delete(block)) this.#blocks.set(block, users);
    }
    void this.#load();
  }

  /** The users have changed: asks again for what is in sight, and stays there. */
  async reload(): Promise<void> {
    // The rows that are there are about to go.
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
        wanted.map((block) => this.#page(query, { kind: 'row', row: block * BLOCK })),
      );
      const everybody = isFiltered(query)
        ? await call('users', {
            instance: this.#instanceId,
            query: EVERYBODY,
            place: { kind: 'first' },
            limit: 1,
          })
        : null;
      if (turn !== this.#turn) return;
      this.#cursors.clear();
      this.#blocks = new Map();
      pages.forEach((page, at) => {
        const block = wanted[at];
        if (block !== undefined) this.#take(block, page);
      });
      if (everybody) this.everybody = everybody.total;
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
        const page = await this.#page(this.answered, place);
        if (turn === this.#turn) this.#take(block, page);
      }
    } catch (thrown) {
      if (turn === this.#turn) this.#fail(thrown);
    } finally {
      this.#loading = false;
    }
    // What failed was no longer wanted; what is wanted now has not been asked for yet.
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

  #page(query: UserQuery, place: PageStart): Promise<UserPage> {
    return call('users', { instance: this.#instanceId, query, place, limit: BLOCK });
  }

  #take(block: number, page: UserPage): void {
    const blocks = new Map(this.#blocks);
    blocks.delete(block);
    blocks.set(block, page.users);
    for (const old of blocks.keys()) {
      if (blocks.size <= KEPT_BLOCKS) break;
      blocks.delete(old);
    }
    this.#blocks = blocks;
    if (page.next === null) this.#cursors.delete(block);
    else this.#cursors.set(block, page.next);
    this.total = page.total;
    this.notices = page.notices;
    if (!this.filtered) this.everybody = page.total;
    this.problem = null;
  }

  #fail(thrown: unknown): void {
    this.problem = asProblem(thrown);
    this.busy = false;
  }
}

const lists = new Map<string, UserList>();

/** An instance's list; what was searched for stays while other screens are looked at. */
export function listFor(instanceId: string): UserList {
  let list = lists.get(instanceId);
  if (!list) {
    list = new UserList(instanceId);
    lists.set(instanceId, list);
  }
  return list;
}

/** Forgets what was searched for in an instance that is gone. */
export function forgetList(instanceId: string): void {
  lists.delete(instanceId);
}
