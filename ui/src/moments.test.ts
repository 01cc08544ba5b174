import { expect, it } from 'vitest';

import { dayOf, shortMoment } from './moments';

// Without an offset: the zone of whoever runs the test.
const now = new Date('2026-11-22T23:10:00');

it('leaves out the year that it is', () => {
  expect(shortMoment(new Date('2026-11-29T23:10:05').toISOString(), now)).toBe('Sun 29 Nov, 23:10');
});

it('names another year', () => {
  expect(shortMoment(new Date('2027-11-22T09:05:00').toISOString(), now)).toBe(
    'Mon 22 Nov 2027, 09:05',
  );
});

it('leaves what it cannot read as it is', () => {
  expect(shortMoment('second 9e99', now)).toBe('second 9e99');
});

it('tells a day from Unix seconds', () => {
  expect(dayOf(new Date('2026-11-22T12:00:00').getTime() / 1000)).toBe('22 Nov 2026');
});
