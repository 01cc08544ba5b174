import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, lastAsked, refuse } from '../../../tests/answers';
import type { Seats as SeatCount } from '../../generated/types';
import SeatMeter from '../../layout/SeatMeter.svelte';
import Seats from '../../settings/Seats.svelte';
import { toasts } from './toasts.svelte';

const instance = instanceLike({ id: 'here', hosted: 'here' });

beforeEach(() => {
  cleanup();
  toasts.list = [];
});

it.each<[SeatCount, string]>([
  [{ used: 7, limit: 10 }, '7 of 10'],
  [{ used: 7, limit: null }, '7, no limit'],
  [{ used: 12, limit: 10 }, '12 of 10, over by 2'],
  [{ used: 0, limit: 0 }, '0 of 0'],
])('the meter says of %o: %s', async (counted, words) => {
  answer({ seats: () => counted });
  render(SeatMeter, { instance });
  await waitFor(() => expect(screen.getByTestId('seat-count').textContent.trim()).toBe(words));
  const meter = screen.queryByRole('meter');
  if (counted.limit === null) expect(meter).toBeNull();
  else expect(meter?.getAttribute('aria-valuenow')).toBe(String(counted.used));
});

it('the meter says where they are not known', async () => {
  answer({ seats: () => refuse('directory_held', 'In use.') });
  render(SeatMeter, { instance });
  await waitFor(() => expect(screen.getByTestId('seat-count').textContent).toContain('not known'));
});

it('a limit is set below what is used, knowingly, and can be undone', async () => {
  let now: SeatCount = { used: 12, limit: null };
  const asked = answer({
    seats: () => now,
    seats_set: ({ limit }) => (now = { ...now, limit }),
  });
  render(Seats, { instance });
  await userEvent.click(await screen.findByRole('switch', { name: 'Limit the seats' }));
  const input = screen.getByRole('textbox', { name: 'Seats' });
  await userEvent.type(input, 'ten');
  expect((await screen.findByTestId('error-limit')).textContent).toContain('whole number');
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Save seats' }).disabled).toBe(true);
  await userEvent.clear(input);
  await userEvent.type(input, '10');
  expect(screen.getByTestId('seat-over').textContent).toContain('Nobody loses a seat');
  await userEvent.click(screen.getByRole('button', { name: 'Save seats' }));
  await waitFor(() => expect(screen.getByTestId('seats-used').textContent).toBe('12 of 10'));
  toasts.list.at(-1)?.actions[0]?.run();
  await waitFor(() =>
    expect(lastAsked(asked, 'seats_set')).toEqual({ instance: 'here', limit: null }),
  );
});
