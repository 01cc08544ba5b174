import type { User } from '../generated/types';
import { call } from '../lib/bridge';
import { Latest } from '../lib/latest';

/** Number of people that the list offers. */
const OFFERED = 5;

/** People of the directory whose name, e-mail or ID has the typed text in it. */
export class Suggestions {
  list = $state.raw<User[]>([]);
  readonly #latest: Latest<string, User[]>;
  readonly #delayMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** With a delay, only the text that stays for `delayMs` is searched for. */
  constructor(instance: string, delayMs = 0) {
    this.#delayMs = delayMs;
    this.#latest = new Latest(
      async (search) => {
        const query = {
          search,
          status: null,
          origin: null,
          sort_by: 'id',
          descending: false,
        } as const;
        const page = await call('users', {
          instance,
          query,
          place: { kind: 'first' },
          limit: OFFERED,
        });
        return page.users;
      },
      (users) => (this.list = users),
      // The verdict says why the users cannot be read.
      () => (this.list = []),
    );
  }

  ask(text: string): void {
    clearTimeout(this.#timer);
    if (text.trim() === '') this.clear();
    else if (this.#delayMs === 0) this.#latest.ask(text);
    else this.#timer = setTimeout(() => this.#latest.ask(text), this.#delayMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#latest.cancel();
    this.list = [];
  }
}

/** Splits a text at the first place where it has `part` in it, in any case. */
export function splitAt(
  text: string,
  part: string,
): [before: string, match: string, after: string] {
  const wanted = part.trim().toLocaleLowerCase('en');
  const at = wanted === '' ? -1 : text.toLocaleLowerCase('en').indexOf(wanted);
  if (at < 0) return [text, '', ''];
  const end = at + wanted.length;
  return [text.slice(0, at), text.slice(at, end), text.slice(end)];
}
