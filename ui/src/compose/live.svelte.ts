import type {
  ComposeRequest,
  Forecast,
  GivenAs,
  Judgement,
  LinkNotes,
  Preview,
  PreviewRef,
  Problem,
  Remedy,
} from '../generated/types';
import { asProblem, call } from '../lib/bridge';
import { Latest } from '../lib/latest';
import { measureUntilPainted } from './paint-timing';
import { isSpent } from './spent';

/** Milliseconds without an answer after which the preview counts as out of date. */
const OVERDUE_MS = 400;
/** Milliseconds without input after which a gateway on a server is asked for the forecast. */
const JUDGE_AFTER_MS = 250;

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

  /**
   * The last judgement of the gateway on a server, and the revision that it is about. It has a field of
   * its own, so that only the forecast is drawn again when it arrives.
   */
  #judged = $state.raw<(Judgement & { revision: number }) | null>(null);
  /** Why the forecast of a revision that a gateway signs is not known. */
  #unjudged = $state.raw<{ revision: number; problem: Problem } | null>(null);
  /** Revision whose forecast is awaited. */
  #asked: number | null = null;
  #judgeTimer: ReturnType<typeof setTimeout> | undefined;
  #signing: { revision: number; signed: Promise<Preview> } | null = null;

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
      if (preview.forecast === null) this.#judgeLater();
    },
    (thrown) => {
      this.#answered();
      this.problem = asProblem(thrown);
    },
  );

  /** Asks the gateway on a server for the forecast. Typing never waits for it. */
  readonly #forecasts = new Latest<PreviewRef, Judgement>(
    (wanted) => call('link_forecast', wanted),
    (judgement, { revision }) => {
      this.#asked = null;
      this.#judged = { ...judgement, revision };
    },
    (thrown, { revision }) => {
      this.#asked = null;
      this.#unjudged = { revision, problem: asProblem(thrown) };
    },
  );

  /** Forecast of opening the shown link; null while it is not known. */
  get forecast(): Forecast | null {
    if (this.shown === null) return null;
    return this.shown.forecast ?? this.#judgement?.forecast ?? null;
  }

  /** Actions that correct the cause of a refusal. */
  get remedies(): Remedy[] {
    return this.#judgement?.remedies ?? this.shown?.remedies ?? [];
  }

  /** Why the forecast of the shown link is not known. */
  get unknown(): Problem | null {
    return this.#unjudged?.revision === this.shown?.revision
      ? (this.#unjudged?.problem ?? null)
      : null;
  }

  /** The judgement of the gateway about the shown link. */
  get #judgement(): Judgement | null {
    return this.#judged?.revision === this.shown?.revision ? this.#judged : null;
  }

  /** Whether the code on the screen is used up or expired. */
  get spent(): boolean {
    return this.shown !== null && isSpent(this.shown);
  }

  /**
   * Whether the link on the screen would sign nobody in. Until the gateway has judged a new link, its
   * last judgement counts, so that a refused link is not offered.
   */
  get refused(): boolean {
    const forecast = this.judging ? this.#judged?.forecast : this.forecast;
    return forecast?.tone === 'refused';
  }

  /** Whether the preview matches the input and can be given out. */
  get ready(): boolean {
    return this.shown !== null && this.problem === null && !this.refused && !this.judging;
  }

  /** Whether the forecast of the gateway is awaited. */
  get judging(): boolean {
    return this.shown !== null && this.forecast === null && this.unknown === null;
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
      this.#forecasts.cancel();
      clearTimeout(this.#judgeTimer);
      this.#answered();
      this.shown = null;
      this.problem = null;
      this.#judged = null;
      this.#unjudged = null;
      this.#asked = null;
    }
  }

  /** Asks again if the answer is older than `age` milliseconds, because its times grow old. */
  refresh(age = 0): void {
    if (this.#request && Date.now() - this.#refreshedAt >= age) this.show(this.#request);
  }

  /** Notes that the shown link was given out. It then stays until the input changes. */
  taken(): void {
    if (this.shown) this.shown = { ...this.shown, taken: true };
  }

  /** Asks for a new code in place of the one that is shown, which must not be replaced silently. */
  makeAnew(): void {
    this.#anew = true;
    this.refresh();
  }

  /** Resolves when the preview of the latest input and its forecast are there. */
  async settled(): Promise<void> {
    await this.#latest.settled();
    // Somebody may type on while the gateway judges.
    while (this.judging) {
      this.#judge();
      await this.#forecasts.settled();
      await this.#latest.settled();
    }
  }

  /**
   * Returns the shown link with its signature, which a gateway on a server makes now, and with its short
   * link if one is wanted. Throws the problem if it cannot be made.
   */
  async sign(given: GivenAs, notes: LinkNotes): Promise<Preview | null> {
    const { shown } = this;
    const instance = this.#request?.instance;
    if (!shown || instance === undefined) return shown;
    if (shown.signed && (!notes.short || shown.short !== null)) return shown;
    const { revision } = shown;
    let signing = this.#signing;
    if (signing?.revision !== revision) {
      signing = { revision, signed: call('link_sign', { instance, revision, given, notes }) };
      this.#signing = signing;
    }
    try {
      const signed = await signing.signed;
      // Somebody may have typed on.
      if (this.shown?.revision === revision) {
        // The judgement is about the same link.
        if (this.#judged?.revision === revision) {
          this.#judged = { ...this.#judged, revision: signed.revision };
        }
        this.shown = signed;
      }
      return signed;
    } finally {
      if (this.#signing === signing) this.#signing = null;
    }
  }

  #judgeLater(): void {
    clearTimeout(this.#judgeTimer);
    this.#judgeTimer = setTimeout(() => this.#judge(), JUDGE_AFTER_MS);
  }

  #judge(): void {
    clearTimeout(this.#judgeTimer);
    const instance = this.#request?.instance;
    if (!this.shown || instance === undefined || this.#asked === this.shown.revision) return;
    this.#asked = this.shown.revision;
    this.#forecasts.ask({ instance, revision: this.#asked });
  }

  #answered(): void {
    clearTimeout(this.#overdueTimer);
    this.#overdueTimer = undefined;
    this.#overdue = false;
  }
}
