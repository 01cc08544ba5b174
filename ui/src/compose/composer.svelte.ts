import type { CopyWhat, GivenAs, LinkNotes, QrFormat } from '../generated/types';
import { asProblem, call } from '../lib/bridge';
import { onForget } from '../lib/state/changes';
import { lost } from '../lib/state/lost.svelte';
import { studio } from '../lib/state/studio.svelte';
import { sayCopied, toasts } from '../lib/state/toasts.svelte';
import { Draft } from './draft.svelte';
import { LivePreview } from './live.svelte';
import { RecentLinks } from './recent.svelte';

const COPIED: Record<CopyWhat, string> = {
  link: 'Link copied.',
  code: 'Code copied.',
  widget: 'Widget tag copied.',
  qr: 'QR code copied.',
  message: 'Message copied.',
};

const GIVEN: Record<CopyWhat, GivenAs> = {
  link: 'link',
  code: 'code',
  widget: 'widget',
  qr: 'qr_code',
  message: 'message',
};

/** Result of an action: `Nothing saved.` says that it failed. */
type Done = 'copied' | 'saved' | 'shown';

/** The link that is composed for one instance: draft, preview, copy and save. */
export class Composer {
  readonly draft = new Draft();
  readonly live = new LivePreview();
  readonly recent = new RecentLinks();
  /** Whether the technical details of the link are unfolded. */
  details = $state(false);

  readonly #instanceId: string;

  constructor(instanceId: string) {
    this.#instanceId = instanceId;
  }

  /** Why the shown link cannot be signed now; null if it can or is signed. */
  get unsignable(): string | null {
    return this.live.shown?.signed === true ? null : lost.reason(this.#instanceId);
  }

  /** Copies. Returns whether anything was copied. */
  async copy(what: CopyWhat): Promise<boolean> {
    const notes = this.#notes(what);
    const revision = await this.#revision(GIVEN[what], notes, 'copied');
    if (revision === null) return false;
    try {
      const instance = this.#instanceId;
      const copied = await call('copy', { instance, revision, what, notes });
      this.live.taken();
      const isShort = what === 'link' && notes.short;
      const message = isShort ? 'Short link copied.' : COPIED[what];
      sayCopied(message, copied);
      return true;
    } catch (thrown) {
      toasts.warn(`Nothing copied. ${asProblem(thrown).message}`);
      return false;
    }
  }

  async saveQr(format: QrFormat): Promise<void> {
    const notes = this.#notes('qr');
    const revision = await this.#revision('file', notes, 'saved');
    if (revision === null) return;
    try {
      const instance = this.#instanceId;
      const { file } = await call('qr_save', { instance, revision, format, notes });
      if (file === null) return;
      this.live.taken();
      toasts.say(`Saved as ${file}.`);
    } catch (thrown) {
      toasts.warn(`Nothing saved. ${asProblem(thrown).message}`);
    }
  }

  /**
   * Returns the revision to give out. It first waits for the preview of the latest input, so that
   * a quick key never copies an outdated link.
   */
  async #revision(given: GivenAs, notes: LinkNotes, done: Done): Promise<number | null> {
    const { unsignable } = this;
    if (unsignable !== null) {
      toasts.warn(`Nothing ${done}. ${unsignable}`);
      return null;
    }
    await this.live.settled();
    if (this.live.shown && this.live.ready) return this.#signed(given, notes, done);
    const { field = null } = this.live.problem ?? {};
    this.draft.touches.touch(field === null ? this.draft.required : this.draft.fieldOf(field));
    toasts.warn(`Nothing ${done}. ${this.#whyNot()}`);
    return null;
  }

  /** Returns the revision of the signed link. Without an answer of its gateway, nothing is given out. */
  async #signed(given: GivenAs, notes: LinkNotes, done: Done): Promise<number | null> {
    try {
      return (await this.live.sign(given, notes))?.revision ?? null;
    } catch (thrown) {
      toasts.warn(`Nothing ${done}. ${asProblem(thrown).message}`);
      return null;
    }
  }

  /** Has the link signed, or its short link entered in the ledger, so that its QR code can be shown. */
  async takeQr(): Promise<void> {
    await this.#revision('qr_code', this.#notes('qr'), 'shown');
  }

  /** A code and a widget tag have no short form. */
  #notes(what: CopyWhat): LinkNotes {
    const instance = studio.instances.find(({ id }) => id === this.#instanceId);
    if (!instance) return { note: this.draft.note, supersedes: false, short: false };
    const notes = this.draft.notes(instance);
    return { ...notes, short: notes.short && what !== 'code' && what !== 'widget' };
  }

  #whyNot(): string {
    const { problem, spent, refused } = this.live;
    if (problem) return problem.message;
    if (spent) return 'This link no longer works. Make a new link.';
    if (refused) return 'This link would sign nobody in.';
    return 'First enter the person who signs in.';
  }
}

// No template reads this map.
// eslint-disable-next-line svelte/prefer-svelte-reactivity
const composers = new Map<string, Composer>();

/** Returns the composer of an instance. It is kept while other screens are open. */
export function composerFor(instanceId: string): Composer {
  let composer = composers.get(instanceId);
  if (!composer) {
    composer = new Composer(instanceId);
    composers.set(instanceId, composer);
  }
  return composer;
}

onForget((instanceId) => composers.delete(instanceId));
