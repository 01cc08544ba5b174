import { asProblem, call } from '../bridge';
import type { ComposeRequest, Preview, Problem } from '../generated/types';
import { Latest } from './latest';
import { measureUntilPainted } from './timing';

type Asked = { request: ComposeRequest; inputAt: number | null };

/** The preview of what is composed, always the latest. */
export class LivePreview {
  /** What is on the screen; it stays, dimmed, while what is typed makes no link. */
  shown = $state.raw<Preview | null>(null);
  /** Why what is typed makes no link. */
  problem = $state.raw<Problem | null>(null);
  #request: ComposeRequest | null = null;
  #refreshedAt = 0;

  readonly #latest = new Latest<Asked, Preview>(
    ({ request }) => call('compose', request),
    (preview, { inputAt }) => {
      this.shown = preview;
      this.problem = null;
      this.#refreshedAt = Date.now();
      if (inputAt !== null) void measureUntilPainted(inputAt);
    },
    (thrown) => {
      this.problem = asProblem(thrown);
    },
  );

  /** Whether what is on the screen is what is typed, and can be given out. */
  get ready(): boolean {
    return this.shown !== null && this.problem === null;
  }

  /** Whether what is on the screen is no longer what is typed. */
  get dimmed(): boolean {
    return this.shown !== null && this.problem !== null;
  }

  /** `inputAt` is the time stamp of the input event that changed the request. */
  show(request: ComposeRequest | null, inputAt: number | null = null): void {
    this.#request = request;
    if (request) {
      this.#latest.ask({ request, inputAt });
    } else {
      this.#latest.cancel();
      this.shown = null;
      this.problem = null;
    }
  }

  /** Asks again where the answer is older than `age` milliseconds: its times run on. */
  refresh(age = 0): void {
    if (this.#request && Date.now() - this.#refreshedAt >= age) this.show(this.#request);
  }

  settled(): Promise<void> {
    return this.#latest.settled();
  }
}
