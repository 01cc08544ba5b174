import type { ActivityEntry, ActivityKind } from '../generated/types';
import { call } from '../lib/bridge';
import { activityChanges } from '../lib/state/changes';
import { lost } from '../lib/state/lost.svelte';

type Wanted = {
  instance: string;
  subject: string | null;
  kind: ActivityKind | null;
  /** ID of the link that the entries are about. */
  link?: string;
};

/** Number of entries. Activity shows the rest. */
const SHOWN = 5;

/** The latest entries of an activity. */
export class LatestEntries {
  /** The entries; null until they are loaded or where they cannot be read. */
  entries = $state.raw<ActivityEntry[] | null>(null);

  /** Loads the entries, and again after each change, while the calling component exists. */
  constructor(wanted: () => Wanted, limit = SHOWN) {
    $effect(() => {
      const asked = { link: null, ...wanted(), text: '', before: null, limit };
      let left = false;
      const load = async () => {
        try {
          const page = await call('activity', asked);
          if (!left) this.entries = page.entries;
        } catch {
          // The screen around the entries shows the problem.
          if (!left && !lost.of(asked.instance)) this.entries = null;
        }
      };
      void load();
      const forget = activityChanges.listen((changed) => {
        if (changed === asked.instance) void load();
      });
      return () => {
        left = true;
        forget();
      };
    });
  }
}
