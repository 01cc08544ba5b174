/**
 * Runs work that is requested faster than it finishes. At most one request runs and one waits, always
 * the newest. The answer to an outdated request is dropped.
 */
export class Latest<Input, Output> {
  readonly #work: (input: Input) => Promise<Output>;
  readonly #done: (output: Output, input: Input) => void;
  readonly #failed: (thrown: unknown, input: Input) => void;
  #waiting: { input: Input } | null = null;
  #running: Promise<void> | null = null;
  /** Number of requests and cancellations. A running request with an earlier number is outdated. */
  #turn = 0;

  constructor(
    work: (input: Input) => Promise<Output>,
    done: (output: Output, input: Input) => void,
    failed: (thrown: unknown, input: Input) => void,
  ) {
    this.#work = work;
    this.#done = done;
    this.#failed = failed;
  }

  ask(input: Input): void {
    this.#turn += 1;
    this.#waiting = { input };
    this.#running ??= this.#run();
  }

  /** Drops the waiting request and the answer to the running one. */
  cancel(): void {
    this.#turn += 1;
    this.#waiting = null;
  }

  /** Resolves when no request runs or waits. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting) {
      const { input } = this.#waiting;
      this.#waiting = null;
      const turn = this.#turn;
      try {
        const output = await this.#work(input);
        if (turn === this.#turn) this.#done(output, input);
      } catch (thrown) {
        if (turn === this.#turn) this.#failed(thrown, input);
      }
    }
    this.#running = null;
  }
}
