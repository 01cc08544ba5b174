import { cleanup, render } from '@testing-library/svelte';

import type { Status, UserProfile } from '../src/generated/types';
import { forgetInstance } from '../src/lib/state/changes';
import { seats } from '../src/lib/state/seats.svelte';
import { selection } from '../src/lib/state/selection.svelte';
import { studio } from '../src/lib/state/studio.svelte';
import { toasts } from '../src/lib/state/toasts.svelte';
import Users from '../src/users/Users.svelte';
import { answer, instanceLike, pageOf, userLike, type Asked } from './answers';

/** The screen of users that its tests share. */

export const instance = instanceLike({ id: 'here', hosted: 'here' });

/** The first user in a request. */
export const ref = { instance: 'here', id: 'user-0' };

export const profile = (status: Status = 'active', ends_at: number | null = null): UserProfile => ({
  user: userLike({ id: 'user-0', status, ends_at }),
  metadata_json: '{\n  "team": "Research"\n}',
});

/** Clears what an earlier test has left. */
export function reset(): void {
  cleanup();
  forgetInstance(instance.id);
  selection.clear(instance.id);
  toasts.list = [];
  seats.take(instance.id, { used: 7, limit: 10 });
  studio.instances = [instance];
  studio.open('users');
}

/** Opens the screen with a number of users. */
export function open(total = 250, others: Parameters<typeof answer>[0] = {}): Asked[] {
  const asked = answer({
    users: (request) => pageOf(request, total),
    user: () => profile(),
    seats: () => ({ used: 7, limit: 10 }),
    ...others,
  });
  render(Users, { instance });
  return asked;
}
