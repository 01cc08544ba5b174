/**
 * Work that is asked for faster than it is done: at most one piece is under way and one waits, and
 * the one that waits is always the newest. An answer that has been overtaken is dropped.
 */
export class Latest<Input, Output> {
  readonly #work: (input: Input) => Promise<Output>;
  readonly #done: (output: Output, input: Input) => void;
  readonly #failed: (thrown: unknown, input: Input) => void;
  #waiting: { input: Input } | null = null;
  #running: Promise<void> | null = null;
  /** Counts what makes the answer under way worthless. */
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

  /** Forgets what waits, and drops the answer to what is under way. */
  cancel(): void {
    this.#turn += 1;
    this.#waiting = null;
  }

  /** When nothing is under way and nothing waits. */
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
