import { listen } from '../bridge';
import { activityChanges, copiesDue, userChanges } from './changes';
import { closing } from './closing.svelte';
import { connections } from './connections.svelte';
import { gateway } from './gateway.svelte';
import { lost } from './lost.svelte';
import { seats } from './seats.svelte';
import { studio } from './studio.svelte';

/** Brings what the window shows up to date whenever the Rust side says that something has changed. */
export async function listenForEvents(): Promise<void> {
  await listen((event) => {
    switch (event.kind) {
      case 'activity':
        if (lost.of(event.instance)) break;
        gateway.activityChanged(event.instance);
        activityChanges.notify(event.instance);
        break;
      case 'users':
        // Everything is loaded again when the connection is back.
        if (lost.of(event.instance)) {
          connections.stirred(event.instance);
          break;
        }
        void seats.refresh(event.instance);
        userChanges.notify(event.instance);
        break;
      case 'copy':
        userChanges.notify(event.instance);
        break;
      case 'copies_due':
        copiesDue.notify();
        break;
      case 'gateway':
        gateway.changed();
        break;
      case 'instances':
        void studio.reload();
        break;
      case 'close_asked':
        void closing.ask();
    }
  });
}
