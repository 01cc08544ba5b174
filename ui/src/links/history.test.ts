import { expect, it } from 'vitest';

import { linkLike } from '../../tests/answers';
import type { ActivityEntry, Instance } from '../generated/types';
import { historyOf } from './history';
import { endOf } from './labels';

const AT = 1_795_300_000;
const HERE = { hosted: 'here' } as const;

const entry = (at: number, changed: Partial<ActivityEntry>): ActivityEntry => ({
  number: at,
  at,
  actor: 'A visitor',
  address: '203.0.113.7',
  reference: null,
  kind: 'sign_in',
  code: 'signed_in',
  title: 'Signed in',
  detail: null,
  parameters: {},
  subject: 'ada',
  ...changed,
});

it('tells the life of a link from the latest, each event once', () => {
  const use = (at: number) => ({ at, address: '203.0.113.7', browser: 'iPhone, Safari' });
  const link = linkLike({
    used: 3,
    status: 'revoked',
    ended_at: AT + 400,
    first_use: use(AT + 100),
    last_use: use(AT + 300),
  });
  const entries = [
    entry(AT + 400, { kind: 'act', code: 'revoked', title: 'Link revoked' }),
    entry(AT + 300, {}),
    entry(AT + 200, {}),
    entry(AT + 150, { kind: 'refusal', code: 'user_suspended', title: 'Refused' }),
    entry(AT + 100, {}),
    entry(AT, { kind: 'act', code: 'link_made', title: 'Link made' }),
  ];
  const told = historyOf(link, entries, HERE).flatMap(({ events }) =>
    events.map(({ title }) => title),
  );
  expect(told).toEqual([
    'Revoked',
    'Signed in, use 3 of 3',
    'Signed in',
    'Refused',
    'Signed in, use 1 of 3',
    'Given out as a link',
  ]);
});

it('knows a single use once, also where the activity is not kept', () => {
  const use = { at: AT + 100, address: null, browser: null };
  const link = linkLike({ uses: null, used: 1, first_use: use, last_use: use });
  const events = historyOf(link, [], HERE).flatMap((day) => day.events);
  expect(events.map(({ title }) => title)).toEqual(['Signed in, use 1', 'Given out as a link']);
});

it('calls a link revoked only where its application knows that', () => {
  const link = linkLike({ status: 'revoked', ended_at: AT + 400 });
  const titles = (hosted: Instance['hosted']) =>
    historyOf(link, [], { hosted }).flatMap(({ events }) => events.map(({ title }) => title));
  expect(titles('here')[0]).toBe('Revoked');
  expect(titles('elsewhere')[0]).toBe('Marked as revoked');
  const until = (hosted: Instance['hosted']) => endOf(link, { hosted });
  expect(until('here')).toBe(link.ended_at);
  expect(until('elsewhere')).toBe(link.expires_at);
});
