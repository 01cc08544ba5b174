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

/** The query for all links, the newest first. */
export const EVERY_LINK: LinkQuery = {
  search: '',
  status: null,
  works: null,
  user: null,
  key: null,
  sort_by: 'entered',
  descending: true,
};

/** Restriction to the links of a person, or to those that depend on a signing key. */
export type Only = { kind: 'person'; user: string } | { kind: 'key'; key: string };

/** Returns the restriction of a query. */
export function onlyOf({ user, key }: LinkQuery): Only | null {
  if (user !== null) return { kind: 'person', user };
  return key === null ? null : { kind: 'key', key };
}

/** The links that match a query, loaded in blocks of rows while a person scrolls. */
export class LinkList extends RowList<IssuedLink, LinkQuery, LinkSortBy> {
  status = $state<LinkStatus | null>(null);
  only = $state.raw<Only | null>(null);
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
    this.only = null;
    this.choose(null);
  }

  /** Removes the restriction to a person or to a key. */
  showEverybody(): void {
    this.only = null;
    this.ask();
  }

  protected override query(): LinkQuery {
    return {
      ...EVERY_LINK,
      search: this.search,
      status: this.status,
      ...restricted(this.only),
      sort_by: this.sortBy,
      descending: this.descending,
    };
  }

  protected override filters(query: LinkQuery): boolean {
    return query.search.trim() !== '' || query.status !== null || onlyOf(query) !== null;
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

/** A link depends on a key only while it works. */
function restricted(only: Only | null): Pick<LinkQuery, 'user' | 'key' | 'works'> {
  return {
    user: only?.kind === 'person' ? only.user : null,
    key: only?.kind === 'key' ? only.key : null,
    works: only?.kind === 'key' ? true : null,
  };
}

/** Opens the screen of links with those of a person or of a key alone, or with all links. */
export function showLinks(instanceId: string, only: Only | null): void {
  const list = linksFor(instanceId);
  list.search = '';
  list.status = null;
  list.only = only;
  list.showsRequests = false;
  studio.open('links');
}
