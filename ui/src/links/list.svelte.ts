import type {
  IssuedLink,
  LinkCounts,
  LinkQuery,
  LinkSortBy,
  LinkStatus,
  PageStart,
} from '../generated/types';
import { call } from '../lib/bridge';
import { listsOf, RowList, type RowPage } from '../lib/row-list.svelte';
import { onForget } from '../lib/state/changes';
import { studio } from '../lib/state/studio.svelte';

const EVERY_LINK: LinkQuery = {
  search: '',
  status: null,
  user: null,
  sort_by: 'entered',
  descending: true,
};

/** The links that match a query, loaded in blocks of rows while a person scrolls. */
export class LinkList extends RowList<IssuedLink, LinkQuery, LinkSortBy> {
  status = $state<LinkStatus | null>(null);
  /** Whether the requests for new links are shown in place of the links. */
  showsRequests = $state(false);
  /** Numbers of links by state; null until known. */
  counts = $state.raw<LinkCounts | null>(null);

  constructor(instanceId: string) {
    super(instanceId, EVERY_LINK, 'entered');
  }

  override ask(): void {
    super.ask();
    void this.#count();
  }

  choose(status: LinkStatus | null): void {
    this.showsRequests = false;
    this.status = status;
    this.ask();
  }

  clearFilters(): void {
    this.search = '';
    this.choose(null);
  }

  protected override query(): LinkQuery {
    return {
      ...EVERY_LINK,
      search: this.search,
      status: this.status,
      sort_by: this.sortBy,
      descending: this.descending,
    };
  }

  protected override filters({ search, status }: LinkQuery): boolean {
    return search.trim() !== '' || status !== null;
  }

  protected override async page(
    query: LinkQuery,
    place: PageStart,
    limit: number,
  ): Promise<RowPage<IssuedLink>> {
    const page = await call('links', { instance: this.instanceId, query, place, limit });
    return { ...page, rows: page.links };
  }

  /** Persons sort from A, times from the newest. */
  protected override highestFirst(by: LinkSortBy): boolean {
    return by !== 'person';
  }

  protected override beside(): Promise<void> {
    return this.#count();
  }

  async #count(): Promise<void> {
    try {
      this.counts = await call('link_counts', { instance: this.instanceId });
      this.everything = Object.values(this.counts).reduce((all, count) => all + count, 0);
    } catch {
      // The answer for the rows says what is wrong.
    }
  }
}

/** Returns the list of an instance. */
export const linksFor = listsOf((instanceId) => new LinkList(instanceId), onForget);

/** Opens the screen of links with a search, such as for a user's ID. */
export function searchLinks(instanceId: string, text: string): void {
  const list = linksFor(instanceId);
  list.search = text;
  list.status = null;
  list.showsRequests = false;
  studio.open('links');
}
