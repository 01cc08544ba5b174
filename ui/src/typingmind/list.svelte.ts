/* eslint-disable svelte/prefer-svelte-reactivity -- the maps are replaced whole, or not shown */
import type {
  CopiedUsers,
  CopiedUsersRequest,
  CopySortBy,
  Problem,
  TypingMindGroup,
  TypingMindUser,
} from '../generated/types';
import { asProblem, call } from '../lib/bridge';
import { Latest } from '../lib/latest';
import { copies } from './copies.svelte';

const BLOCK = 200;

type Query = Omit<CopiedUsersRequest, 'instance' | 'first' | 'limit'>;

/** The rows of a copy that match a query, loaded in blocks while a person scrolls. */
export class CopyList {
  search = $state('');
  group = $state('');
  sortBy = $state<CopySortBy>('email');
  descending = $state(false);
  /** Number of users that match; null until known. */
  total = $state<number | null>(null);
  /** Number of all users. */
  everybody = $state(0);
  groups = $state.raw<TypingMindGroup[]>([]);
  problem = $state.raw<Problem | null>(null);
  /** Whether there is a copy; null until known. */
  copied = $state<boolean | null>(null);
  /** Grows whenever the rows are replaced from the first one on. */
  fresh = $state(0);

  readonly #instanceId: string;
  #blocks = $state.raw(new Map<number, TypingMindUser[]>());
  #answered: Query | null = null;
  readonly #wanted = new Set<number>();
  readonly #first = new Latest<Query, CopiedUsers>(
    (query) => this.#page(query, 0),
    (page, query) => {
      const isNew = JSON.stringify(query) !== JSON.stringify(this.#answered);
      this.#answered = query;
      this.#wanted.clear();
      this.#blocks = new Map([[0, page.users]]);
      this.total = page.total;
      this.everybody = page.everybody;
      this.groups = page.groups;
      this.copied = page.at !== null;
      this.problem = null;
      copies.take(this.#instanceId, page.at);
      if (isNew) this.fresh += 1;
    },
    (thrown) => {
      this.problem = asProblem(thrown);
    },
  );

  constructor(instanceId: string) {
    this.#instanceId = instanceId;
  }

  get filtered(): boolean {
    return this.search.trim() !== '' || this.group !== '';
  }

  row(index: number): TypingMindUser | null {
    return this.#blocks.get(Math.floor(index / BLOCK))?.[index % BLOCK] ?? null;
  }

  /** Returns the index of the row of a loaded user. */
  indexOf(id: string): number | null {
    for (const [block, users] of this.#blocks) {
      const at = users.findIndex((user) => user.id === id);
      if (at >= 0) return block * BLOCK + at;
    }
    return null;
  }

  /** Returns a loaded user. */
  find(id: string): TypingMindUser | null {
    const index = this.indexOf(id);
    return index === null ? null : this.row(index);
  }

  /** Loads the rows for the current fields. The old rows stay until then. */
  ask(): void {
    this.#first.ask({
      search: this.search,
      group: this.group === '' ? null : this.group,
      sort_by: this.sortBy,
      descending: this.descending,
    });
  }

  sort(by: CopySortBy): void {
    this.descending = by === this.sortBy ? !this.descending : by === 'created';
    this.sortBy = by;
    this.ask();
  }

  /** Returns the order by a column; null if the rows are sorted by another. */
  orderOf(by: CopySortBy): 'ascending' | 'descending' | null {
    if (by !== this.sortBy) return null;
    return this.descending ? 'descending' : 'ascending';
  }

  clearFilters(): void {
    this.search = '';
    this.group = '';
    this.ask();
  }

  /** Loads missing blocks of the rows in sight. */
  see(first: number, end: number): void {
    const query = this.#answered;
    if (query === null || end === 0) return;
    for (
      let block = Math.floor(first / BLOCK);
      block <= Math.floor((end - 1) / BLOCK);
      block += 1
    ) {
      if (!this.#blocks.has(block) && !this.#wanted.has(block)) void this.#load(query, block);
    }
  }

  async #load(query: Query, block: number): Promise<void> {
    this.#wanted.add(block);
    try {
      const { users } = await this.#page(query, block * BLOCK);
      if (query === this.#answered) this.#blocks = new Map(this.#blocks).set(block, users);
    } catch (thrown) {
      this.problem = asProblem(thrown);
    } finally {
      this.#wanted.delete(block);
    }
  }

  #page(query: Query, first: number): Promise<CopiedUsers> {
    return call('typingmind_users', {
      instance: this.#instanceId,
      ...query,
      first,
      limit: BLOCK,
    });
  }
}
