import type {
  Origin,
  PageStart,
  SortBy,
  Status,
  User,
  UserQuery,
  Warning,
} from '../generated/types';
import { call } from '../lib/bridge';
import { listsOf, RowList, type RowPage } from '../lib/row-list.svelte';
import { onForget } from '../lib/state/changes';

const EVERYBODY: UserQuery = {
  search: '',
  status: null,
  origin: null,
  sort_by: 'id',
  descending: false,
};

/** The users that match a query, loaded in blocks of rows while a person scrolls. */
export class UserList extends RowList<User, UserQuery, SortBy> {
  status = $state<Status | null>(null);
  origin = $state<Origin | null>(null);
  /** Notices about users that need the administrator. */
  notices = $state.raw<Warning[]>([]);

  constructor(instanceId: string) {
    super(instanceId, EVERYBODY, 'last_sign_in');
  }

  clearFilters(): void {
    this.search = '';
    this.status = null;
    this.origin = null;
    this.ask();
  }

  protected override query(): UserQuery {
    return {
      search: this.search,
      status: this.status,
      origin: this.origin,
      sort_by: this.sortBy,
      descending: this.descending,
    };
  }

  protected override filters({ search, status, origin }: UserQuery): boolean {
    return search.trim() !== '' || status !== null || origin !== null;
  }

  protected override async page(
    query: UserQuery,
    place: PageStart,
    limit: number,
  ): Promise<RowPage<User>> {
    const page = await call('users', { instance: this.instanceId, query, place, limit });
    this.notices = page.notices;
    return { ...page, rows: page.users };
  }

  /** Names sort from A, times from the newest. */
  protected override highestFirst(by: SortBy): boolean {
    return by === 'created' || by === 'last_sign_in';
  }

  protected override async beside(query: UserQuery): Promise<void> {
    if (!this.filters(query)) return;
    const page = await this.page(EVERYBODY, { kind: 'first' }, 1);
    this.everything = page.total;
  }
}

/** Returns the list of an instance. */
export const listFor = listsOf((instanceId) => new UserList(instanceId), onForget);
