import type { IssuedLink } from '../generated/types';
import type { IconName } from '../lib/components/icons';
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

/** What the ledger itself knows of the life of a link, by day, the latest first. */
export function historyOf(link: IssuedLink): LinkDay[] {
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
    events.push({ at: link.ended_at, icon: 'bar', title: 'Revoked', detail: null });
  }
  if (link.ended_at !== null && link.status === 'superseded') {
    events.push({
      at: link.ended_at,
      icon: 'arrow',
      title: 'Replaced by a newer link',
      detail: null,
    });
  }
  return byDay(events.sort((a, b) => b.at - a.at));
}

/** Groups events by day. They are sorted from the latest. */
export function byDay(events: LinkEvent[]): LinkDay[] {
  const days: LinkDay[] = [];
  for (const event of events) {
    const start = new Date(event.at * 1000).setHours(0, 0, 0, 0);
    const day = days.at(-1);
    if (day?.start === start) day.events.push(event);
    else days.push({ start, events: [event] });
  }
  return days;
}
