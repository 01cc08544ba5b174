import { waitFor } from '@testing-library/svelte';
import { beforeEach, expect, it } from 'vitest';

import { pageOf } from '../../tests/answers';
import type { UserPage, UsersRequest } from '../generated/types';
import { UserList } from './list.svelte';

/** Asked and not answered yet; the test says in which turn. */
type Open = { request: UsersRequest; answer: (total: number) => void; refuse: () => void };

let waiting: Open[] = [];
let list: UserList;

beforeEach(() => {
  waiting = [];
  const invoke = (_name: string, { request }: { request: UsersRequest }): Promise<UserPage> =>
    new Promise((resolve, reject) => {
      waiting.push({
        request,
        answer: (total) => resolve(pageOf(request, total)),
        refuse: () => reject(new Error('lost')),
      });
    });
  Object.assign(window, { __TAURI_INTERNALS__: { invoke } });
  list = new UserList('here');
});

async function next(): Promise<Open> {
  await waitFor(() => expect(waiting).not.toHaveLength(0));
  const [open] = waiting.splice(0, 1);
  if (!open) throw new Error('nothing is asked');
  return open;
}

async function shown(total: number): Promise<void> {
  list.ask();
  (await next()).answer(total);
  await list.settled();
}

it('drops the answer to what is no longer asked', async () => {
  list.search = 'a';
  list.ask();
  const old = await next();
  list.search = 'ab';
  list.ask();
  old.answer(10);
  const newest = await next();
  expect(list.total).toBeNull();
  expect(newest.request.query.search).toBe('ab');
  newest.answer(3);
  await waitFor(() => expect(list.total).toBe(3));
});

it('asks for more of the rows that are there in the words that they answer', async () => {
  await shown(1000);
  list.sort('id');
  const sorted = await next();
  list.see(100, 120);
  const more = await next();
  // A cursor is valid for one sort order only.
  expect(more.request.query).toMatchObject({ sort_by: 'last_sign_in', descending: true });
  expect(more.request.place.kind).toBe('after');
  sorted.answer(1000);
  await waitFor(() => expect(list.answered.sort_by).toBe('id'));
  more.answer(1000);
  await waitFor(() => expect(list.busy).toBe(false));
  expect(list.row(0)).not.toBeNull();
  expect(list.problem).toBeNull();
});

it('says of whom the count is only once it is theirs', async () => {
  await shown(1000);
  list.search = 'zz';
  list.ask();
  expect([list.total, list.filtered]).toEqual([1000, false]);
  (await next()).answer(0);
  await waitFor(() => expect([list.total, list.filtered]).toEqual([0, true]));
  list.clearFilters();
  // Nobody answers the search still; that is not to say that there is nobody.
  expect([list.total, list.filtered, list.everything]).toEqual([0, true, 1000]);
});

it('does not fail for rows that are no longer wanted', async () => {
  await shown(1000);
  list.see(500, 520);
  const lost = await next();
  list.search = 'a';
  list.ask();
  (await next()).answer(300);
  await waitFor(() => expect(list.total).toBe(300));
  lost.refuse();
  list.see(100, 120);
  (await next()).answer(300);
  await waitFor(() => expect(list.row(100)).not.toBeNull());
  expect(list.problem).toBeNull();
});

it('keeps a bounded number of rows, those looked at last', async () => {
  await shown(10_000);
  for (let block = 1; block < 40; block++) {
    list.see(block * 100, block * 100 + 20);
    (await next()).answer(10_000);
    await waitFor(() => expect(list.row(block * 100)).not.toBeNull());
  }
  list.see(0, 20);
  list.see(4000, 4020);
  (await next()).answer(10_000);
  await waitFor(() => expect(list.row(4000)).not.toBeNull());
  expect(list.row(0)).not.toBeNull();
  expect(list.row(100)).toBeNull();
});
