import type { ImportRow, ImportState, Problem, RowAction } from '../generated/types';
import { base64Of } from '../lib/base64';
import { asProblem, call, Refused } from '../lib/bridge';
import { onForget } from '../lib/state/changes';

const BLOCK = 100;
const LARGEST_MIB = 64;

/** Tab of the table: all rows, or those with one effect. */
export type Shown = 'all' | RowAction;

/** The import of a file into an instance. It outlives the screen that shows it. */
class Importing {
  /** The open file and its plan; null if there is none. */
  file = $state.raw<ImportState | null>(null);
  /** The instance of the open file. */
  instance = $state('');
  /** The instance for which a file is being chosen and read; null if there is none. */
  opening = $state<string | null>(null);
  shown = $state<Shown>('all');
  /** Whether a file is being read or planned. */
  busy = $state(false);
  running = $state(false);
  /** Whether the person has asked to stop. */
  stopping = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** Why the last file of an instance could not be opened. */
  #refused = $state.raw<{ instance: string; problem: Problem } | null>(null);
  /** Number of openings, plans and closings. Answers for an earlier number are dropped. */
  #turn = 0;
  /** Grows whenever the rows are replaced. */
  fresh = $state(0);
  beganAt = $state(0);

  #blocks = $state.raw(new Map<number, ImportRow[]>());
  #inSight: [first: number, end: number] = [0, BLOCK];
  #loading = false;

  /** Whether a file of the instance is open. */
  isOpen(instance: string): boolean {
    return this.instance === instance && this.file !== null;
  }

  /** Returns why no file can be opened for an instance now; null if one can. */
  blocked(instance: string): string | null {
    if (this.opening !== null) {
      return this.opening === instance
        ? 'A file is being opened.'
        : 'A file is being opened for another instance.';
    }
    if (!this.running) return this.busy ? 'The rows are being compared.' : null;
    return this.instance === instance
      ? 'An import is running.'
      : 'An import into another instance is running. Wait for its end.';
  }

  /** Returns why the last file of an instance could not be opened. */
  refused(instance: string): Problem | null {
    return this.#refused?.instance === instance ? this.#refused.problem : null;
  }

  /** Number of rows in the shown tab. */
  get total(): number {
    if (this.file === null) return 0;
    return this.shown === 'all' ? this.file.rows : this.file.counts[this.shown];
  }

  /** Number of users that the import adds or changes. */
  get changes(): number {
    return this.file === null ? 0 : this.file.counts.add + this.file.counts.change;
  }

  row(index: number): ImportRow | null {
    return this.#blocks.get(Math.floor(index / BLOCK))?.[index % BLOCK] ?? null;
  }

  /** Asks for a file. */
  async choose(instance: string): Promise<void> {
    await this.#open(instance, () => call('import_choose', { instance }));
  }

  /** Takes a dropped file. */
  async take(instance: string, file: File): Promise<void> {
    await this.#open(instance, async () => {
      if (file.size > LARGEST_MIB * 1024 * 1024) {
        refuse(`${file.name} is larger than ${LARGEST_MIB} MiB, which is the maximum. Split it.`);
      }
      const base64 = await base64Of(file).catch(() =>
        refuse(`${file.name} cannot be opened. Save it again and choose the copy.`),
      );
      return call('import_dropped', { instance, name: file.name, base64 });
    });
  }

  async #open(instance: string, open: () => Promise<ImportState | null>): Promise<void> {
    if (this.blocked(instance) !== null) return;
    const turn = ++this.#turn;
    this.opening = instance;
    this.busy = true;
    this.#refused = null;
    try {
      const file = await open();
      if (file === null) return;
      if (turn !== this.#turn) {
        void call('import_close');
        return;
      }
      this.instance = instance;
      this.problem = null;
      // Rows with problems come first, because only the person can correct them.
      this.shown = file.counts.problem > 0 ? 'problem' : 'all';
      this.#show(file);
    } catch (thrown) {
      if (turn !== this.#turn) return;
      if (this.isOpen(instance)) this.problem = asProblem(thrown);
      else this.#refused = { instance, problem: asProblem(thrown) };
    } finally {
      this.opening = null;
      this.busy = false;
    }
  }

  /** Plans the file anew with other choices. */
  async plan(update: boolean, addRemoved: boolean): Promise<void> {
    const turn = ++this.#turn;
    this.busy = true;
    try {
      const { instance } = this;
      const file = await call('import_plan', { instance, update, add_removed: addRemoved });
      if (turn !== this.#turn) return;
      this.#show(file);
      this.problem = null;
    } catch (thrown) {
      if (turn === this.#turn) this.problem = asProblem(thrown);
    } finally {
      if (turn === this.#turn) this.busy = false;
    }
  }

  /** Imports batch after batch, until all rows are passed or the person stops. */
  async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    this.stopping = false;
    this.problem = null;
    this.beganAt = Date.now();
    try {
      for (;;) {
        const file = await call('import_next', { instance: this.instance });
        this.file = file;
        if (file.ended || this.isStopped()) break;
      }
    } catch (thrown) {
      this.problem = asProblem(thrown);
    } finally {
      this.running = false;
    }
    if (this.file !== null) this.#show(this.file);
  }

  /** Whether the person has asked to stop, maybe while a batch was under way. */
  private isStopped(): boolean {
    return this.stopping;
  }

  /** Stops after the batch that is under way. */
  stop(): void {
    this.stopping = true;
  }

  /** Forgets why the last file could not be opened. */
  dismiss(): void {
    this.#refused = null;
  }

  close(): void {
    this.#turn += 1;
    this.file = null;
    this.problem = null;
    this.stopping = false;
    // Until its dialog has answered, no other file can be opened.
    this.busy = this.opening !== null;
    this.#blocks = new Map();
    this.fresh += 1;
    void call('import_close');
  }

  /** Drops what is known of a removed instance. */
  forget(instance: string): void {
    if (this.#refused?.instance === instance) this.dismiss();
    if (this.instance !== instance || this.file === null) return;
    if (this.running) this.stop();
    else this.close();
  }

  /** Loads the rows in sight. */
  see(first: number, end: number): void {
    this.#inSight = [first, end];
    void this.#load();
  }

  show(shown: Shown): void {
    this.shown = shown;
    this.#blocks = new Map();
    this.#inSight = [0, BLOCK];
    this.fresh += 1;
    void this.#load();
  }

  #show(file: ImportState): void {
    this.file = file;
    this.show(this.shown !== 'all' && file.counts[this.shown] === 0 ? 'all' : this.shown);
  }

  async #load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    let { fresh } = this;
    try {
      for (;;) {
        const block = this.#missing();
        if (block === undefined || this.file === null) return;
        fresh = this.fresh;
        const rows = await call('import_rows', {
          instance: this.instance,
          action: this.shown === 'all' ? null : this.shown,
          first: block * BLOCK,
          limit: BLOCK,
        });
        if (fresh !== this.fresh) continue;
        // Blocks out of sight are dropped, because they are read again in no time.
        const seen = [...this.#blocks].filter(([at]) => Math.abs(at - block) < 8);
        this.#blocks = new Map([...seen, [block, rows]]);
        if (rows.length === 0) return;
      }
    } catch (thrown) {
      // Nobody sees a problem of a closed file.
      if (fresh === this.fresh) this.problem = asProblem(thrown);
    } finally {
      this.#loading = false;
    }
    if (fresh !== this.fresh) void this.#load();
  }

  #missing(): number | undefined {
    const [first, end] = this.#inSight;
    const last = Math.max(first, Math.min(end, this.total) - 1);
    for (let block = Math.floor(first / BLOCK); block <= Math.floor(last / BLOCK); block++) {
      if (!this.#blocks.has(block)) return block;
    }
    return undefined;
  }
}

function refuse(message: string): never {
  throw new Refused({ code: 'invalid_import', message, field: 'file' });
}

export const importing = new Importing();

onForget((instance) => importing.forget(instance));
