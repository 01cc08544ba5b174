import type { Inspection, Problem, Redeemed } from '../generated/types';
import { asProblem, call, reportProblem } from '../lib/bridge';
import { Latest } from '../lib/latest';
import { onForget } from '../lib/state/changes';
import { seats } from '../lib/state/seats.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import { sourceOf, type Given } from './source';

type Asked = {
  given: Given;
  /** Whether the same code is inspected again, for its current verdict. */
  again: boolean;
};

/** Codes of problems that the input has. Other problems are failures of inspecting. */
const NOTHING_FOUND = [
  'no_code',
  'malformed_code',
  'invalid_picture',
  'clipboard_empty',
  'clipboard_unavailable',
];

/** The code that is inspected for one instance: its source, its content and its redemption. */
export class Inspected {
  /** Content of the text area. */
  text = $state('');
  /** Source of the code other than the text area. */
  from = $state.raw<'clipboard' | { picture: string } | null>(null);
  shown = $state.raw<Inspection | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Whether a picture or the clipboard is being read. */
  reading = $state(false);
  /** Whether the technical details are unfolded. */
  details = $state(false);
  redeeming = $state(false);
  redeemed = $state.raw<Redeemed | null>(null);
  redeemProblem = $state.raw<Problem | null>(null);

  readonly #instanceId: string;
  #given: Given | null = null;
  #refreshedAt = 0;
  /** Number of inputs so far. Results for an earlier number are outdated. */
  #turn = 0;
  readonly #latest = new Latest<Asked, Inspection>(
    async ({ given }) =>
      call('inspect', { instance: this.#instanceId, source: await sourceOf(given) }),
    (inspection, { given, again }) => {
      // A repeated request sends only the code, so the first answer says what it was found in.
      const { found_in } = again ? (this.shown ?? inspection) : inspection;
      this.shown = { ...inspection, found_in };
      if (inspection.unasked) reportProblem(this.#instanceId, inspection.unasked);
      this.problem = null;
      this.reading = false;
      this.#refreshedAt = Date.now();
      if (given.kind !== 'text') this.#given = codeOf(inspection) ?? given;
    },
    (thrown, { again }) => {
      this.problem = asProblem(thrown);
      this.reading = false;
      if (!again || this.nothingFound) this.shown = null;
    },
  );

  constructor(instanceId: string) {
    this.#instanceId = instanceId;
  }

  /** Whether the input holds no code. */
  get nothingFound(): boolean {
    return this.problem !== null && NOTHING_FOUND.includes(this.problem.code);
  }

  /** Whether there is input to clear. */
  get given(): boolean {
    return this.text !== '' || this.from !== null;
  }

  /** Takes the new content of the text area. */
  type(text: string): void {
    this.text = text;
    this.from = null;
    this.reading = false;
    if (text.trim() === '') {
      this.#forget();
    } else {
      this.#ask({ kind: 'text', text });
    }
  }

  takePicture(file: File): void {
    this.#read({ kind: 'picture', file }, { picture: file.name });
  }

  takeClipboard(): void {
    this.#read({ kind: 'clipboard' }, 'clipboard');
  }

  clear(): void {
    this.text = '';
    this.from = null;
    this.#forget();
  }

  /** Forgets the redemption. The inspection stays. */
  forgetRedeemed(): void {
    this.redeemed = null;
    this.redeemProblem = null;
  }

  /** Asks again if the answer is older than `age` milliseconds, because the verdict can change. */
  refresh(age = 0): void {
    // A newer revision would make the one that is being redeemed invalid.
    if (!this.#given || this.reading || this.redeeming) return;
    if (Date.now() - this.#refreshedAt < age) return;
    this.#latest.ask({ given: this.#given, again: this.shown !== null });
  }

  /** Redeems the code on the screen, and no other. */
  async redeem(): Promise<void> {
    const chosen = this.shown;
    if (!chosen || this.redeeming) return;
    this.redeeming = true;
    this.forgetRedeemed();
    try {
      // The latest input may be another code, which the person has not seen yet.
      await this.#latest.settled();
      const now = this.shown;
      if (this.problem || !now || !sameCode(now, chosen)) {
        toasts.warn('Nothing redeemed, because the code has changed.');
        return;
      }
      await this.#redeem(now.revision);
    } finally {
      this.redeeming = false;
      this.refresh();
    }
  }

  settled(): Promise<void> {
    return this.#latest.settled();
  }

  async #redeem(revision: number): Promise<void> {
    const turn = this.#turn;
    try {
      const redeemed = await call('redeem', { instance: this.#instanceId, revision });
      seats.take(this.#instanceId, redeemed.seats);
      if (turn === this.#turn) this.redeemed = redeemed;
      // Beside another code the result would look like that code's.
      else toasts.say(redeemed.forecast.title);
    } catch (thrown) {
      const problem = asProblem(thrown);
      if (turn === this.#turn) this.redeemProblem = problem;
      else toasts.warn(problem.message);
    }
  }

  #read(given: Given, from: 'clipboard' | { picture: string }): void {
    this.text = '';
    this.from = from;
    // Reading a picture takes time, and the verdict of the previous code would mislead.
    this.#forget();
    this.reading = true;
    this.#ask(given);
  }

  #ask(given: Given): void {
    this.#turn += 1;
    this.#given = given;
    this.forgetRedeemed();
    this.#latest.ask({ given, again: false });
  }

  #forget(): void {
    this.#turn += 1;
    this.#latest.cancel();
    this.#given = null;
    this.shown = null;
    this.problem = null;
    this.reading = false;
    this.forgetRedeemed();
  }
}

/**
 * Returns the code itself for a repeated request, because the clipboard may hold something else by
 * then, and a picture is large. Returns null if the code is not whole.
 */
function codeOf({ header, claims, signature }: Inspection): Given | null {
  if (signature === '') return null;
  return { kind: 'text', text: `${header}.${claims}.${signature}` };
}

function sameCode(a: Inspection, b: Inspection): boolean {
  return a.header === b.header && a.claims === b.claims && a.signature === b.signature;
}

// No template reads this map.
// eslint-disable-next-line svelte/prefer-svelte-reactivity
const all = new Map<string, Inspected>();

/** Returns the inspected code of an instance. It is kept while other screens are open. */
export function inspectedFor(instanceId: string): Inspected {
  let inspected = all.get(instanceId);
  if (!inspected) {
    inspected = new Inspected(instanceId);
    all.set(instanceId, inspected);
  }
  return inspected;
}

onForget((instanceId) => all.delete(instanceId));
