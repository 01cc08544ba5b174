import { expect, it } from 'vitest';

import { contentPx, inSight, MAX_PX, ROW_PX, scrollPx, tablePx, toShow } from './rows';

const VIEW = 560;

it('draws what is in sight and little more', () => {
  expect(inSight(0, 1000, VIEW)).toEqual({ first: 0, end: 19, topPx: 0 });
  expect(inSight(440, 1000, VIEW)).toEqual({ first: 4, end: 29, topPx: 4 * ROW_PX });
});

it('draws a short table whole', () => {
  expect(inSight(0, 3, VIEW)).toEqual({ first: 0, end: 3, topPx: 0 });
  expect(inSight(0, 0, VIEW)).toEqual({ first: 0, end: 0, topPx: 0 });
});

it.each([100_000, 222_222, 222_223, 1_000_000])('reaches the last of %i rows', (rows) => {
  const content = contentPx(rows);
  expect(content).toBeLessThanOrEqual(MAX_PX);
  const sight = inSight(content - VIEW, rows, VIEW);
  expect(sight.end).toBe(rows);
  // The last row ends where the content does.
  const bottom = sight.topPx + (sight.end - sight.first) * ROW_PX;
  expect(Math.abs(bottom - content)).toBeLessThan(1);
});

it.each([0, 1, 250_000, 499_999, 999_998, 999_999])(
  'brings row %i of a million in sight',
  (row) => {
    const rows = 1_000_000;
    const to = toShow(row, row === 0 ? 5000 : 0, rows, VIEW) ?? 0;
    const { first, end } = inSight(to, rows, VIEW);
    expect(first).toBeLessThanOrEqual(row);
    expect(end).toBeGreaterThan(row);
    expect(toShow(row, to, rows, VIEW) ?? to).toBeCloseTo(to, 3);
  },
);

it('scrolls there and back', () => {
  for (const at of [0, 1234, 7_000_000]) {
    expect(scrollPx(tablePx(at, 1_000_000, VIEW), 1_000_000, VIEW)).toBeCloseTo(at, 4);
  }
});
