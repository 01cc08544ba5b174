import type { OpenRequest } from '../generated/types';
import { asProblem, call } from '../lib/bridge';
import { escapeHidden } from '../lib/escape';
import { linkRequests } from '../lib/state/link-requests.svelte';
import { sayCopied, toasts } from '../lib/state/toasts.svelte';
import { formatMoment } from '../lib/time-format';

/** The best known name of the person who asks. */
export function askerOf({ name, subject }: OpenRequest): string {
  return name ?? subject;
}

/** Says which link the person has, and why it does not work any more. */
export function oldLink({ issued_at, expires_at, reason }: OpenRequest): string {
  const link = issued_at === null ? 'The link' : `The link of ${formatMoment(issued_at)}`;
  switch (reason) {
    case 'expired':
      return expires_at === null
        ? `${link} has expired.`
        : `${link} has expired, ${formatMoment(expires_at)}.`;
    case 'used_up':
      return `${link} is used up.`;
    case 'superseded':
      return `${link} was replaced by a newer one.`;
  }
}

/** Makes the new link and copies it. */
export async function grant(instance: string, request: OpenRequest): Promise<void> {
  const { number } = request;
  const person = escapeHidden(askerOf(request));
  try {
    const copied = await call('link_request_grant', { instance, number });
    sayCopied(`New link for ${person} made and copied.`, copied);
  } catch (thrown) {
    toasts.warn(`${person}: ${asProblem(thrown).message}`);
  } finally {
    await linkRequests.read(instance);
  }
}

/** Closes the request without a new link. */
export async function dismiss(instance: string, request: OpenRequest): Promise<void> {
  const { number } = request;
  const person = escapeHidden(askerOf(request));
  try {
    await call('link_request_dismiss', { instance, number });
    toasts.say(`The request of ${person} is dismissed.`);
  } catch (thrown) {
    toasts.warn(`${person}: ${asProblem(thrown).message}`);
  } finally {
    await linkRequests.read(instance);
  }
}
