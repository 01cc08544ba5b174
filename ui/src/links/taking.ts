import { composerFor } from '../compose/composer.svelte';
import type { CopyWhat, LinkTerms, QrFormat } from '../generated/types';
import { asProblem, call } from '../lib/bridge';
import { studio } from '../lib/state/studio.svelte';
import { sayCopied, toasts } from '../lib/state/toasts.svelte';

const COPIED: Record<CopyWhat, string> = {
  link: 'The same link copied again.',
  code: 'The same code copied again.',
  widget: 'The same widget tag copied again.',
  qr: 'The same QR code copied again.',
  message: 'A message with the same link copied.',
};

/** Copies a link of the ledger again. Returns whether anything was copied. */
export async function copyAgain(instance: string, id: string, what: CopyWhat): Promise<boolean> {
  try {
    sayCopied(COPIED[what], await call('link_copy', { instance, id, what }));
    return true;
  } catch (thrown) {
    toasts.warn(`Nothing copied. ${asProblem(thrown).message}`);
    return false;
  }
}

/** Saves the QR code of a link of the ledger. */
export async function saveQrAgain(instance: string, id: string, format: QrFormat): Promise<void> {
  try {
    const { file } = await call('link_qr_save', { instance, id, format });
    if (file !== null) toasts.say(`Saved as ${file}.`);
  } catch (thrown) {
    toasts.warn(`Nothing saved. ${asProblem(thrown).message}`);
  }
}

/** Opens Compose with the person, the terms and the note of a link. */
export function makeAnew(instanceId: string, terms: LinkTerms): void {
  const { draft, live } = composerFor(instanceId);
  draft.take(terms);
  live.makeAnew();
  studio.open('compose');
}
