import type { Instance, KeyLinks } from '../generated/types';
import { call } from '../lib/bridge';
import { formatDay } from '../lib/time-format';

/** Links that depend on each signing key of an instance, by the ID of the key. */
export class LinksOfKeys {
  #known = $state.raw<Record<string, KeyLinks>>({});
  #asked = '';

  /** Counts the links again if the instance has other keys than before. */
  async count(instance: Instance): Promise<void> {
    const keys = [instance.key, ...instance.retiring].map((key) => key?.id);
    const asked = [instance.id, ...keys].join(' ');
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#known = {};
    try {
      const counted = await call('signing_key_links', { instance: instance.id });
      if (asked !== this.#asked) return;
      this.#known = Object.fromEntries(counted.map(({ key, links }) => [key, links]));
    } catch {
      // The numbers are left out.
      if (asked === this.#asked) this.#asked = '';
    }
  }

  /** Returns the links of a key, if they were counted. */
  of(key: string): KeyLinks | null {
    return this.#known[key] ?? null;
  }
}

/** Counts links: `1 link`, `3 links`. */
export function countOf({ count }: KeyLinks): string {
  return count === 1 ? '1 link' : `${count} links`;
}

/** Says after the number of links that they depend on a key, and until when. */
export function depend(links: KeyLinks): string {
  const [depend, last] =
    links.count === 1 ? ['depends on it', 'until'] : ['depend on it', 'the last until'];
  if (links.some_never_expire)
    return `${depend}, and ${links.count === 1 ? 'it never expires' : 'not all of them expire'}.`;
  if (links.last_expires_at === null) return `${depend}.`;
  return `${depend}, ${last} ${formatDay(Date.parse(links.last_expires_at) / 1000)}.`;
}

/** Says how many links stop working if a key retires now. */
export function broken(links: KeyLinks | null): string {
  if (links === null) return 'Links that it has signed stop working at once.';
  if (links.count === 0) return 'No link that Latchkey knows depends on it.';
  return `${countOf(links)} ${breaks(links)}`;
}

/** Says after the number of links that they stop working if a key retires now. */
export function breaks({ count }: KeyLinks): string {
  return `that still ${count === 1 ? 'works stops' : 'work stop'} working at once.`;
}
