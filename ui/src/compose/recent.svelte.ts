import type { IssuedLink, LinkQuery, LinksRequest } from '../generated/types';
import { call } from '../lib/bridge';
import { Latest } from '../lib/latest';
import { lost } from '../lib/state/lost.svelte';
import { works } from '../links/labels';

/** Number of links that are asked for, to count those that work. */
const ASKED = 50;
/** Milliseconds without input after which the links are asked for. */
const AFTER_MS = 200;

/** Owner of the shown links: a user, the person whom a text names, or everybody. */
export type Whose = { user: string | null; search: string };

/** The latest links of the person in Compose, or of everybody. */
export class RecentLinks {
  /** The links; null until they are known. */
  links = $state.raw<IssuedLink[] | null>(null);
  /** Owner of the links. */
  whose = $state.raw<Whose>({ user: null, search: '' });
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #latest = new Latest<{ request: LinksRequest; whose: Whose }, IssuedLink[]>(
    async ({ request }) => (await call('links', request)).links,
    (links, { whose }) => {
      this.links = links;
      this.whose = whose;
    },
    (_thrown, { request }) => {
      // The screen of links says what is wrong.
      if (!lost.of(request.instance)) this.links = null;
    },
  );

  /** Whether the links are of one person. */
  get ofOne(): boolean {
    return this.whose.user !== null || this.whose.search !== '';
  }

  /** Number of links of the person that still work; null if it is not known. */
  get working(): number | null {
    if (!this.ofOne || this.links === null) return null;
    return this.links.filter(works).length;
  }

  /** Asks for the links of a person, or of everybody. */
  ask(instance: string, whose: Whose, now = false): void {
    clearTimeout(this.#timer);
    const query: LinkQuery = { ...whose, status: null, sort_by: 'entered', descending: true };
    const request = { instance, query, place: { kind: 'first' as const }, limit: ASKED };
    const ask = () => this.#latest.ask({ request, whose });
    if (now) ask();
    else this.#timer = setTimeout(ask, AFTER_MS);
  }
}
