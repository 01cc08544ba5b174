import type { GivenAs, Instance, IssuedLink, LinkStatus } from '../generated/types';
import type { IconName } from '../lib/components/icons';
import { hasUsers } from '../lib/hosted';
import { formatDayIn, formatMoment, formatPast } from '../lib/time-format';

/** A state of a link in a word, with its icon and colour. */
export type StateLabel = {
  word: string;
  icon: IconName;
  tone: 'live' | 'good' | 'over';
};

const STATES: Record<LinkStatus, StateLabel> = {
  not_used: { word: 'Not used', icon: 'unused', tone: 'live' },
  in_use: { word: 'In use', icon: 'inUse', tone: 'live' },
  used_up: { word: 'Used up', icon: 'tick', tone: 'good' },
  expired: { word: 'Expired', icon: 'clock', tone: 'over' },
  revoked: { word: 'Revoked', icon: 'bar', tone: 'over' },
  superseded: { word: 'Superseded', icon: 'arrow', tone: 'over' },
};

/** Where the application is elsewhere, nobody tells Latchkey of uses. */
const GIVEN_OUT: StateLabel = { word: 'Given out', icon: 'send', tone: 'live' };

/** There, a revocation is a mark of which the application does not know. */
const MARKED: StateLabel = { word: 'Marked', icon: 'bar', tone: 'over' };

export function stateLabel(status: LinkStatus, instance: Pick<Instance, 'hosted'>): StateLabel {
  if (hasUsers(instance)) return STATES[status];
  if (status === 'not_used') return GIVEN_OUT;
  return status === 'revoked' ? MARKED : STATES[status];
}

/** Links to revoke: one, all of a person, or those that were issued before a time that is entered. */
export type Revoked =
  { kind: 'link'; link: IssuedLink } | { kind: 'person'; user: string } | { kind: 'before' };

/** States that have a tab of their own. The others are in the menu beside them. */
export const TABS: LinkStatus[] = ['not_used', 'in_use', 'used_up', 'expired'];
export const MORE: LinkStatus[] = ['revoked', 'superseded'];

/**
 * States of links that an application elsewhere decides about. It reports no use, and supersedes
 * nothing.
 */
export const TABS_ELSEWHERE: LinkStatus[] = ['not_used', 'expired', 'revoked'];

const WAYS: Record<GivenAs, string> = {
  link: 'Link',
  code: 'Code',
  qr_code: 'QR code',
  widget: 'Widget tag',
  message: 'Message',
  file: 'File',
};

const AS: Record<GivenAs, string> = {
  link: 'as a link',
  code: 'as a code',
  qr_code: 'as a QR code',
  widget: 'as a widget tag',
  message: 'as a message',
  file: 'as a file',
};

/** `as a QR code`. */
export function asWords(given: GivenAs): string {
  return AS[given];
}

/** How a link was given out last, and when and by whom. */
export function givenLabel({ given, origin, entered_at }: IssuedLink): [way: string, when: string] {
  const last = given.at(-1);
  if (last) return [WAYS[last.given], `${formatDayIn(last.at)}, ${last.by}`];
  const way = origin === 'foreign' ? 'Made elsewhere' : 'Scanned here';
  return [way, formatDayIn(entered_at)];
}

/** Whether a link still signs in. */
export function works({ status }: Pick<IssuedLink, 'status'>): boolean {
  return status === 'not_used' || status === 'in_use';
}

/** The best known name of the person of a link. */
export function personOf({ name, subject, user }: IssuedLink): string {
  return name ?? subject ?? user ?? 'Somebody who was removed';
}

/** `2 of 3`, `12`, or that the application does not tell. */
export function usesLabel({ uses, used }: IssuedLink, instance: Pick<Instance, 'hosted'>): string {
  if (!hasUsers(instance)) return 'not reported';
  const count = used.toLocaleString('en');
  return uses === null ? count : `${count} of ${uses.toLocaleString('en')}`;
}

/** Whether a link may still sign in. One that is only marked as revoked may. */
export function mayWork(link: IssuedLink, instance: Pick<Instance, 'hosted'>): boolean {
  return works(link) || (link.status === 'revoked' && !hasUsers(instance));
}

/** Time until which a link may work, or when it ended; null if it has no end, or it is not known. */
export function endOf(link: IssuedLink, instance: Pick<Instance, 'hosted'>): number | null {
  return mayWork(link, instance) ? link.expires_at : link.ended_at;
}

/** Until when a link may work, or when it ended. */
export function endLabel(link: IssuedLink, instance: Pick<Instance, 'hosted'>): string {
  const end = endOf(link, instance);
  if (end !== null) return formatMoment(end);
  return mayWork(link, instance) ? 'no end' : 'ended';
}

/** Returns a sentence about the rest of a link in two parts: the time, and the uses. */
export function standing(link: IssuedLink, instance: Pick<Instance, 'hosted'>): string {
  const at = link.ended_at === null ? '' : ` ${formatMoment(link.ended_at)}`;
  switch (link.status) {
    case 'not_used':
    case 'in_use': {
      if (!hasUsers(instance)) {
        const last = link.given.at(-1)?.at ?? link.entered_at;
        return `given out ${formatPast(last)}; use is not reported`;
      }
      if (link.uses === null) return 'any number of uses';
      const left = link.uses - link.used;
      return `${left.toLocaleString('en')} of ${link.uses.toLocaleString('en')} ${link.uses === 1 ? 'use' : 'uses'} left`;
    }
    case 'used_up':
      return `The last use was${at === '' ? ' made' : at}.`;
    case 'expired':
      return `Its time was over${at}.`;
    case 'revoked':
      if (!hasUsers(instance)) {
        return `It was marked as revoked${at}. The application does not know that.`;
      }
      return `It was revoked${at}.${link.ends_sessions ? ' Sessions that it began ended, too.' : ''}`;
    case 'superseded':
      return `A newer link has replaced it${at}.`;
  }
}
