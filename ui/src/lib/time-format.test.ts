import { expect, it } from 'vitest';

import { formatDay, formatPast, formatDateTime } from './time-format';

// Without an offset: the time zone of this computer.
const now = new Date('2026-11-22T23:10:00');

it('leaves out the year that it is', () => {
  expect(formatDateTime(new Date('2026-11-29T23:10:05').toISOString(), now)).toBe(
    'Sun 29 Nov, 23:10',
  );
});

it('names another year', () => {
  expect(formatDateTime(new Date('2027-11-22T09:05:00').toISOString(), now)).toBe(
    'Mon 22 Nov 2027, 09:05',
  );
});

it('leaves what it cannot read as it is', () => {
  expect(formatDateTime('second 9e99', now)).toBe('second 9e99');
});

it('tells a day from Unix seconds', () => {
  expect(formatDay(new Date('2026-11-22T12:00:00').getTime() / 1000)).toBe('22 Nov 2026');
});

it.each([
  ['2026-11-22T23:09:30', 'just now'],
  ['2026-11-22T23:08:00', '2 min ago'],
  ['2026-11-22T09:12:00', 'today, 09:12'],
  ['2026-11-21T23:59:00', 'yesterday'],
  ['2026-10-03T12:00:00', '3 Oct'],
  ['2025-10-03T12:00:00', '3 Oct 2025'],
])('says of %s: %s', (at, words) => {
  expect(formatPast(new Date(at).getTime() / 1000, now)).toBe(words);
});
