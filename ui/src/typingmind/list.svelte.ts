import type {
  CopiedUsersRequest,
  CopySortBy,
  PageStart,
  TypingMindGroup,
  TypingMindUser,
} from '../generated/types';
import { call } from '../lib/bridge';
import { RowList, type RowPage } from '../lib/row-list.svelte';
import { copies } from '../lib/state/copies.svelte';

type Query = Omit<CopiedUsersRequest, 'instance' | 'first' | 'limit'>;

const EVERYBODY: Query = { search: '', group: null, sort_by: 'email', descending: false };

/** The users of a copy that match a query, loaded in blocks of rows while a person scrolls. */
export class CopyList extends RowList<TypingMindUser, Query, CopySortBy> {
  group = $state('');
  groups = $state.raw<TypingMindGroup[]>([]);
  /** Whether there is a copy; null until known. */
  copied = $state<boolean | null>(null);

  constructor(instanceId: string) {
    super(instanceId, EVERYBODY, 'email');
    this.descending = false;
  }

  /** Returns a loaded user. */
  find(id: string): TypingMindUser | null {
    const index = this.indexOf(id);
    return index === null ? null : this.row(index);
  }

  clearFilters(): void {
    this.search = '';
    this.group = '';
    this.ask();
  }

  protected override query(): Query {
    return {
      search: this.search,
      group: this.group === '' ? null : this.group,
      sort_by: this.sortBy,
      descending: this.descending,
    };
  }

  protected override filters({ search, group }: Query): boolean {
    return search.trim() !== '' || group !== null;
  }

  /** The copy has no cursors: it is read from a row on. */
  protected override async page(
    query: Query,
    place: PageStart,
    limit: number,
  ): Promise<RowPage<TypingMindUser>> {
    const first = place.kind === 'row' ? place.row : 0;
    const page = await call('typingmind_users', {
      instance: this.instanceId,
      ...query,
      first,
      limit,
    });
    this.everything = page.everybody;
    this.groups = page.groups;
    this.copied = page.at !== null;
    copies.take(this.instanceId, page.at);
    return { rows: page.users, total: page.total, next: null };
  }

  /** Addresses and IDs sort from A, times from the newest. */
  protected override highestFirst(by: CopySortBy): boolean {
    return by === 'created';
  }

  /** The answer for the rows has everything that is shown beside them. */
  protected override beside(): Promise<void> {
    return Promise.resolve();
  }
}
