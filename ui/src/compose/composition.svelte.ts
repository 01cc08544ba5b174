import type { CopyWhat, Problem, QrFormat } from '../generated/types';
import { asProblem, call } from '../lib/bridge';
import { copiedMessage, toasts } from '../lib/state/toasts.svelte';
import { Draft } from './draft.svelte';
import { LivePreview } from './live.svelte';

const COPIED: Record<CopyWhat, string> = {
  link: 'Link copied.',
  code: 'Code copied.',
  widget: 'Widget tag copied.',
  qr: 'QR code copied.',
};

/** The link that is composed for one instance: draft, preview, copy and save. */
export class Composition {
  readonly draft = new Draft();
  readonly live = new LivePreview();
  /** Whether the technical details of the link are unfolded. */
  details = $state(false);

  /** Copies. Returns whether anything was copied. */
  async copy(what: CopyWhat): Promise<boolean> {
    const revision = await this.#revision();
    if (revision === null) return false;
    try {
      const copied = await call('copy', { revision, what });
      toasts.say(copiedMessage(COPIED[what], copied.clears_in_secs));
      return true;
    } catch (thrown) {
      toasts.warn(asProblem(thrown).message);
      return false;
    }
  }

  async saveQr(format: QrFormat): Promise<void> {
    const revision = await this.#revision();
    if (revision === null) return;
    try {
      const { file } = await call('qr_save', { revision, format });
      if (file !== null) toasts.say(`Saved as ${file}.`);
    } catch (thrown) {
      toasts.warn(asProblem(thrown).message);
    }
  }

  /**
   * Returns the revision to copy or save. It first waits for the preview of the latest input, so that
   * a quick key never copies an outdated link.
   */
  async #revision(): Promise<number | null> {
    await this.live.settled();
    if (this.live.shown && this.live.ready) return this.live.shown.revision;
    const { field = null } = this.live.problem ?? {};
    this.draft.touches.touch(field === null ? this.draft.required : this.draft.fieldOf(field));
    toasts.warn(this.live.spent ? SPENT : nothingTaken(this.live.problem));
    return null;
  }
}

const SPENT = 'Nothing copied. This link no longer works. Make a new link.';

function nothingTaken(problem: Problem | null): string {
  return problem
    ? `Nothing copied. ${problem.message}`
    : 'Nothing copied. First enter the person who signs in.';
}

// No template reads this map.
// eslint-disable-next-line svelte/prefer-svelte-reactivity
const compositions = new Map<string, Composition>();

/** Returns the composition of an instance. It is kept while other screens are open. */
export function compositionFor(instanceId: string): Composition {
  let composition = compositions.get(instanceId);
  if (!composition) {
    composition = new Composition();
    compositions.set(instanceId, composition);
  }
  return composition;
}

/** Deletes the composition of a removed instance. */
export function forgetComposition(instanceId: string): void {
  compositions.delete(instanceId);
}
