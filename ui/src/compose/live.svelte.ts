import type { ComposeRequest, Preview, Problem } from '../generated/types';
import { asProblem, call } from '../lib/bridge';
import { Latest } from '../lib/latest';
import { measureUntilPainted } from './paint-timing';
import { isSpent } from './spent';

/** Milliseconds without an answer after which the preview counts as out of date. */
const OVERDUE_MS = 400;

type Pending = { request: ComposeRequest; inputAt: number | null };

/** The preview of the latest input. */
export class LivePreview {
  /** The preview on the screen. It stays, dimmed, while the input is invalid. */
  shown = $state.raw<Preview | null>(null);
  /** Why the input makes no link. */
  problem = $state.raw<Problem | null>(null);
  #request: ComposeRequest | null = null;
  #refreshedAt = 0;
  /** Whether the answer to a changed request is overdue. */
  #overdue = $state(false);
  #overdueTimer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the next request asks for another single-use code. */
  #anew = false;

  readonly #latest = new Latest<Pending, Preview>(
    ({ request }) => {
      const anew = this.#anew;
      this.#anew = false;
      return call('compose', { ...request, anew });
    },
    (preview, { inputAt }) => {
      this.#answered();
      this.shown = preview;
      this.problem = null;
      this.#refreshedAt = Date.now();
      if (inputAt !== null) void measureUntilPainted(inputAt);
    },
    (thrown) => {
      this.#answered();
      this.problem = asProblem(thrown);
    },
  );

  /** Whether the code on the screen is used up or expired. */
  get spent(): boolean {
    return this.shown !== null && isSpent(this.shown);
  }

  /** Whether the link on the screen would sign nobody in. */
  get refused(): boolean {
    return this.shown?.forecast.tone === 'refused';
  }

  /** Whether the preview matches the input and can be given out. */
  get ready(): boolean {
    return this.shown !== null && this.problem === null && !this.refused;
  }

  /** Whether the preview no longer matches the input. */
  get outdated(): boolean {
    return this.shown !== null && (this.problem !== null || this.#overdue);
  }

  /** `inputAt` is the time stamp of the input event that changed the request. */
  show(request: ComposeRequest | null, inputAt: number | null = null): void {
    const changed = JSON.stringify(request) !== JSON.stringify(this.#request);
    this.#request = request;
    if (request) {
      if (changed) this.#overdueTimer ??= setTimeout(() => (this.#overdue = true), OVERDUE_MS);
      this.#latest.ask({ request, inputAt });
    } else {
      this.#latest.cancel();
      this.#answered();
      this.shown = null;
      this.problem = null;
    }
  }

  /** Asks again if the answer is older than `age` milliseconds, because its times grow old. */
  refresh(age = 0): void {
    if (this.#request && Date.now() - this.#refreshedAt >= age) this.show(this.#request);
  }

  /** Asks for a new code in place of the single-use code that is shown. */
  makeAnew(): void {
    this.#anew = true;
    this.refresh();
  }

  settled(): Promise<void> {
    return this.#latest.settled();
  }

  #answered(): void {
    clearTimeout(this.#overdueTimer);
    this.#overdueTimer = undefined;
    this.#overdue = false;
  }
}
