import { iconOf } from '../activity/icons';
import type { ActivityEntry, Instance, IssuedLink } from '../generated/types';
import type { IconName } from '../lib/components/icons';
import { hasUsers } from '../lib/hosted';
import { asWords } from './labels';

/** Something that happened to a link. Times are in Unix seconds. */
export type LinkEvent = {
  at: number;
  icon: IconName;
  title: string;
  detail: string | null;
};

/** The events of a day, the latest first. */
export type LinkDay = { start: number; events: LinkEvent[] };

/** Entries of the activity that the ledger tells more about. */
const TOLD = ['link_made', 'link_given_out', 'revoked', 'links_revoked'];

/** The life of a link by day, the latest first: what the ledger keeps, and the rest of the activity. */
export function historyOf(
  link: IssuedLink,
  entries: ActivityEntry[],
  instance: Pick<Instance, 'hosted'>,
): LinkDay[] {
  const told = ofLedger(link, instance);
  const uses = new Set([link.first_use?.at, link.last_use?.at]);
  const others = entries.filter(
    ({ kind, code, at }) => !TOLD.includes(code) && !(kind === 'sign_in' && uses.has(at)),
  );
  const events = others.map((entry) => ({
    at: entry.at,
    icon: iconOf(entry),
    title: entry.title,
    detail: entry.address,
  }));
  return byDay([...told, ...events].sort((a, b) => b.at - a.at));
}

function ofLedger(link: IssuedLink, instance: Pick<Instance, 'hosted'>): LinkEvent[] {
  const events: LinkEvent[] = link.given.map(({ at, given, by }, index) => ({
    at,
    icon: 'send',
    title: `Given out ${index === 0 ? '' : 'again '}${asWords(given)}`,
    detail: by,
  }));
  const { first_use: first, last_use: last, used } = link;
  const uses = used > 1 ? [{ number: used, use: last }] : [];
  for (const { number, use } of [{ number: 1, use: first }, ...uses]) {
    if (use === null) continue;
    events.push({
      at: use.at,
      icon: 'signIn',
      title:
        link.uses === null
          ? `Signed in, use ${number.toLocaleString('en')}`
          : `Signed in, use ${number.toLocaleString('en')} of ${link.uses.toLocaleString('en')}`,
      detail: [use.browser, use.address].filter((part) => part !== null).join(' · ') || null,
    });
  }
  if (link.ended_at !== null && link.status === 'revoked') {
    const title = hasUsers(instance) ? 'Revoked' : 'Marked as revoked';
    events.push({ at: link.ended_at, icon: 'bar', title, detail: null });
  }
  if (link.ended_at !== null && link.status === 'superseded') {
    events.push({
      at: link.ended_at,
      icon: 'arrow',
      title: 'Replaced by a newer link',
      detail: null,
    });
  }
  return events;
}

/** Groups events by day. They are sorted from the latest. */
function byDay(events: LinkEvent[]): LinkDay[] {
  const days: LinkDay[] = [];
  for (const event of events) {
    const start = new Date(event.at * 1000).setHours(0, 0, 0, 0);
    const day = days.at(-1);
    if (day?.start === start) day.events.push(event);
    else days.push({ start, events: [event] });
  }
  return days;
}
