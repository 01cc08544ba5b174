import type { IssuedLink, LinksRequest } from '../generated/types';
import { call } from '../lib/bridge';
import { Latest } from '../lib/latest';
import { lost } from '../lib/state/lost.svelte';
import { EVERY_LINK } from '../links/list.svelte';

/** Number of links that are asked for. The shown link is among the newest that work. */
const ASKED = 20;
/** Milliseconds without input after which the links are asked for. */
const AFTER_MS = 200;

type Asked = {
  instance: string;
  /** ID or address of the person. Null for everybody. */
  whose: string | null;
  /** ID of the link on the screen. */
  shown: string | null;
};
type Answer = { links: IssuedLink[]; working: number | null };

/** The latest links of the person in Compose, or of everybody. */
export class RecentLinks {
  /** The links; null until they are known. */
  links = $state.raw<IssuedLink[] | null>(null);
  /** ID or address of the person whose links they are; null for everybody. */
  whose = $state.raw<string | null>(null);
  /**
   * Number of links of the person that still work, without the one on the screen; null if it is not
   * known.
   */
  working = $state.raw<number | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #latest = new Latest<Asked, Answer>(
    (asked) => find(asked),
    ({ links, working }, { whose }) => {
      this.links = links;
      this.whose = whose;
      this.working = working;
    },
    (_thrown, { instance }) => {
      // The screen of links says what is wrong.
      if (lost.of(instance)) return;
      this.links = null;
      this.working = null;
    },
  );

  /** Asks for the links of a person, or of everybody. */
  ask(instance: string, whose: string | null, shown: string | null, now = false): void {
    clearTimeout(this.#timer);
    const ask = () => this.#latest.ask({ instance, whose, shown });
    if (now) ask();
    else this.#timer = setTimeout(ask, AFTER_MS);
  }
}

async function find({ instance, whose, shown }: Asked): Promise<Answer> {
  const request: LinksRequest = {
    instance,
    query: { ...EVERY_LINK, user: whose },
    place: { kind: 'first' },
    limit: ASKED,
  };
  const { links } = await call('links', request);
  if (whose === null || links.length === 0) return { links, working: whose === null ? null : 0 };
  const query = { ...request.query, works: true };
  const working = await call('links', { ...request, query });
  const isListed = working.links.some(({ id }) => id === shown);
  return { links, working: working.total - (isListed ? 1 : 0) };
}
