import type { ActivityEntry } from '../../generated/types';
import { call } from '../bridge';
import { escapeHidden } from '../escape';
import { searchActivity } from './activity-search';
import { activityChanges } from './changes';
import { studio } from './studio.svelte';
import { toasts } from './toasts.svelte';

/** Number of refusals that are looked at after a change. */
const LOOKED_AT = 5;

/**
 * Says in the window when a visitor of an instance is refused because no seat is free, until the
 * returned function is called. Refusals from before are not news.
 */
export function watchSeats(instance: string): () => void {
  /** Number of the last refusal that is known; null before the first answer. */
  let known: number | null = null;
  let hasEnded = false;

  async function look() {
    try {
      const { entries } = await call('activity', {
        instance,
        kind: 'refusal',
        subject: null,
        link: null,
        text: '',
        before: null,
        limit: LOOKED_AT,
      });
      if (hasEnded) return;
      const before = known;
      known = entries[0]?.number ?? 0;
      const isNews = ({ number }: ActivityEntry) => before !== null && number > before;
      const refused = entries.find((entry) => isNews(entry) && lacksSeat(entry));
      if (refused) say(refused);
    } catch {
      // The screens say what is wrong.
    }
  }

  void look();
  const end = activityChanges.listen((changed) => {
    if (changed === instance) void look();
  });
  return () => {
    hasEnded = true;
    end();
  };
}

function lacksSeat({ code, parameters }: ActivityEntry): boolean {
  const reasons = parameters['reasons'];
  return (
    code === 'no_seats' ||
    (typeof reasons === 'object' && reasons !== null && 'no_seats' in reasons)
  );
}

function say({ subject }: ActivityEntry): void {
  const who = subject === null ? 'Somebody' : escapeHidden(subject);
  toasts.stay('no_seats', `${who} was refused: no seat is free.`, [
    { label: 'Show', run: () => searchActivity(subject ?? 'no_seats') },
    { label: 'Change the seat limit', run: () => studio.open('settings', 'seats') },
  ]);
}
