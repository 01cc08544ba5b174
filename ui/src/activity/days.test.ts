import { describe, expect, it } from 'vitest';

import type { ActivityEntry } from '../generated/types';
import { days, people, totals } from './days';

const NOON = new Date(2026, 10, 25, 12).getTime() / 1000;
let number = 1000;

function entry(kind: ActivityEntry['kind'], hoursAgo = 0, code = 'signed_in'): ActivityEntry {
  number -= 1;
  return {
    number,
    at: NOON - hoursAgo * 3600,
    actor: 'A visitor',
    address: null,
    reference: null,
    kind,
    code,
    parameters: {},
    title: '',
    detail: null,
    subject: `user-${number}`,
  };
}

const kinds = (entries: ActivityEntry[], fold = true) =>
  days(entries, fold).map(({ rows }) => rows.map(({ kind }) => kind));

describe('the days of the activity', () => {
  it('are separate, each with its totals', () => {
    const all = days([entry('sign_in'), entry('refusal'), entry('refusal', 24)], true);
    expect(all.map(totals)).toEqual(['1 sign-in, 1 refused', '1 refused']);
  });

  it('fold three and more plain sign-ins in a row', () => {
    const run = [1, 2, 3].map((hour) => entry('sign_in', hour));
    expect(kinds([entry('act'), ...run, entry('refusal', 4), entry('sign_in', 5)])).toEqual([
      ['entry', 'sign_ins', 'entry', 'entry'],
    ]);
    expect(kinds(run, false)).toEqual([['entry', 'entry', 'entry']]);
  });

  it('fold no run over midnight, and never a user who was created', () => {
    const night = [11, 11.5, 12.5, 13].map((hour) => entry('sign_in', hour));
    expect(kinds(night)).toEqual([
      ['entry', 'entry'],
      ['entry', 'entry'],
    ]);
    const created = entry('sign_in', 2, 'provisioned');
    expect(kinds([entry('sign_in', 1), created, entry('sign_in', 3)])).toEqual([
      ['entry', 'entry', 'entry'],
    ]);
  });
});

it.each([
  [['a'], 'a'],
  [['a', 'b'], 'a and b'],
  [['a', 'a', 'b', 'c'], 'a, b and c'],
  [['a', 'b', 'c', 'd'], 'a, b, c and 1 other'],
  [['a', 'b', 'c', 'd', 'e'], 'a, b, c and 2 others'],
])('the people of %j are “%s”', (subjects, expected) => {
  expect(people(subjects.map((subject) => ({ ...entry('sign_in'), subject })))).toBe(expected);
});
