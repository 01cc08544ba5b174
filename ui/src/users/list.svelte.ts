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
import { onForget } from '../lib/state/changes';
import { lost } from '../lib/state/lost.svelte';

export const BLOCK = 100;
/** Maximum number of cached blocks. The least recently seen are dropped first. */
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

/** The users that match a query, loaded in blocks of rows while a person scrolls. */
export class UserList {
  search = $state('');
  status = $state<Status | null>(null);
  origin = $state<Origin | null>(null);
  sortBy = $state<SortBy>('last_sign_in');
  descending = $state(true);
  /** Number of users that match the query; null until known. */
  total = $state<number | null>(null);
  /** Number of all users. */
  everybody = $state<number | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Notices about users that need the administrator. */
  notices = $state.raw<Warning[]>([]);
  /** Whether an answer under way will replace the rows. */
  busy = $state(false);
  /** Grows whenever the rows are replaced from the first one on. */
  fresh = $state(0);

  /**
   * The query of the loaded rows. It can lag behind the fields while an answer is under way. Further
   * blocks use this query, because a cursor is valid for one query only.
   */
  answered = $state.raw<UserQuery>(EVERYBODY);

  readonly #instanceId: string;
  #blocks = $state.raw(new Map<number, User[]>());
  readonly #cursors = new Map<number, string>();
  /** Number of the current set of rows. Answers for earlier sets are dropped. */
  #turn = 0;
  #inSight: [first: number, end: number] = [0, BLOCK];
  #loading = false;
  /** Whether rows for the current fields are being loaded. */
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

  /** Whether the rows are filtered. */
  get filtered(): boolean {
    return isFiltered(this.answered);
  }

  row(index: number): User | null {
    return this.#blocks.get(Math.floor(index / BLOCK))?.[index % BLOCK] ?? null;
  }

  /** Returns the index of a user among the loaded rows. */
  indexOf(id: string): number | null {
    for (const [block, users] of this.#blocks) {
      const at = users.findIndex((user) => user.id === id);
      if (at >= 0) return block * BLOCK + at;
    }
    return null;
  }

  /** Loads the rows for the current fields. The old rows stay until then. */
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
    // Names sort from A, times from the newest.
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

  /** Loads missing blocks of the rows in sight. */
  see(first: number, end: number): void {
    this.#inSight = [first, end];
    for (const block of this.#wanted()) {
      const users = this.#blocks.get(block);
      // Moves the block to the end of the cache. No template depends on the order.
      if (users && this.#blocks.delete(block)) this.#blocks.set(block, users);
    }
    void this.#load();
  }

  /** Loads the rows in sight again after a change of users. The scroll position stays. */
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
    this.busy = false;
    // Without a connection, the rows stay.
    if (lost.of(this.#instanceId) && this.total !== null) return;
    this.problem = asProblem(thrown);
  }
}

const lists = new Map<string, UserList>();

/** Returns the list of an instance. Its search is kept while other screens are open. */
export function listFor(instanceId: string): UserList {
  let list = lists.get(instanceId);
  if (!list) {
    list = new UserList(instanceId);
    lists.set(instanceId, list);
  }
  return list;
}

onForget((instanceId) => lists.delete(instanceId));
