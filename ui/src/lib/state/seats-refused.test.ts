import { beforeEach, expect, it, vi } from 'vitest';

import { answer } from '../../../tests/answers';
import type { ActivityEntry } from '../../generated/types';
import { activityChanges } from './changes';
import { watchSeats } from './seats-refused';
import { studio } from './studio.svelte';
import { toasts } from './toasts.svelte';

let entries: ActivityEntry[];

const refusal = (number: number, code: string): ActivityEntry => ({
  number,
  at: 1_795_300_000,
  actor: 'A visitor',
  address: null,
  reference: null,
  kind: 'refusal',
  code,
  title: 'Refused',
  detail: null,
  parameters: {},
  subject: 'zoe',
});

beforeEach(() => {
  toasts.list = [];
  entries = [refusal(1, 'no_seats')];
  answer({ activity: () => ({ entries, before: null }) });
});

it('says once and until it is closed that a visitor found no seat, with the next step', async () => {
  vi.useFakeTimers();
  const end = watchSeats('here');
  await vi.advanceTimersByTimeAsync(10);
  expect(toasts.list, 'a refusal from before is not news').toEqual([]);
  entries = [refusal(2, 'expired'), ...entries];
  activityChanges.notify('here');
  await vi.advanceTimersByTimeAsync(10);
  expect(toasts.list).toEqual([]);
  for (const number of [3, 4]) {
    entries = [refusal(number, 'no_seats'), ...entries];
    activityChanges.notify('here');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(toasts.list.map(({ text }) => text)).toEqual(['zoe was refused: no seat is free.']);
  }
  toasts.list[0]?.actions[1]?.run();
  expect([studio.screen, studio.settingsPart]).toEqual(['settings', 'seats']);
  end();
  vi.useRealTimers();
});
