import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, refuse, tell, type Asked } from '../../tests/answers';
import type { ActivityEntry, ActivityPage, ActivityRequest } from '../generated/types';
import { searchActivity } from '../lib/state/activity-search';
import { listenForEvents } from '../lib/state/events';
import { selection } from '../lib/state/selection.svelte';
import { studio } from '../lib/state/studio.svelte';
import Activity from './Activity.svelte';

const instance = instanceLike({ id: 'here', hosted: 'here' });

function entryLike(number: number, changed: Partial<ActivityEntry> = {}): ActivityEntry {
  return {
    number,
    at: 1_795_300_000 + number,
    actor: 'A visitor',
    address: '192.0.2.7',
    reference: null,
    kind: 'act',
    code: 'suspended',
    title: 'Suspended',
    detail: null,
    parameters: {},
    subject: `user-${number}`,
    ...changed,
  };
}

/** As the Rust side pages through entries 1 to `last`. */
function pageOf({ before, limit }: ActivityRequest, last: number): ActivityPage {
  const newest = Math.min(last, (before ?? last + 1) - 1);
  const oldest = Math.max(1, newest - limit + 1);
  const entries = [];
  for (let number = newest; number >= oldest; number -= 1) entries.push(entryLike(number));
  return { entries, before: oldest > 1 ? oldest : null };
}

beforeEach(() => {
  cleanup();
  studio.instances = [instance];
  studio.open('activity');
});

function open(activity: (request: ActivityRequest) => ActivityPage): Asked[] {
  const asked = answer({ activity, seats: () => ({ used: 1, limit: null }) });
  void listenForEvents();
  render(Activity, { instance });
  return asked;
}

const subjects = () =>
  screen.getAllByTestId('activity-entry').map((row) => row.querySelector('button')?.textContent);

const requests = (asked: Asked[]) =>
  asked.filter(({ name }) => name === 'activity').map(({ request }) => request as ActivityRequest);

it('says why somebody was refused, with the reference of their page', async () => {
  const refused = entryLike(1, {
    kind: 'refusal',
    code: 'no_seats',
    title: 'Refused: no seats left',
    detail: 'All 3 seats are taken. Suspend or remove somebody, or raise the limit.',
    reference: 'abcd2345',
  });
  open(() => ({ entries: [refused], before: null }));
  const row = await screen.findByTestId('activity-entry');
  for (const text of ['Refused: no seats left', 'All 3 seats', '192.0.2.7', 'A visitor'])
    expect(row.textContent).toContain(text);
  expect(screen.getByTestId('activity-reference').textContent).toBe('abcd2345');
});

it('shows what is older when asked to, each once', async () => {
  open((request) => pageOf(request, 250));
  await waitFor(() => expect(subjects()).toHaveLength(100));
  await userEvent.click(screen.getByText('Show older'));
  await waitFor(() => expect(subjects()).toHaveLength(200));
  await userEvent.click(screen.getByText('Show older'));
  await waitFor(() => expect(subjects()).toHaveLength(250));
  expect(new Set(subjects()).size).toBe(250);
  expect(screen.queryByText('Show older')).toBeNull();
});

it('shows what happens meanwhile on top, and keeps what was there', async () => {
  let last = 150;
  open((request) => pageOf(request, last));
  await waitFor(() => expect(subjects()[0]).toBe('user-150'));
  last = 152;
  tell({ kind: 'activity', instance: 'here' });
  await waitFor(() => expect(subjects().slice(0, 3)).toEqual(['user-152', 'user-151', 'user-150']));
  expect(subjects()).toHaveLength(102);
  // More new entries than one page holds.
  last = 900;
  tell({ kind: 'activity', instance: 'here' });
  await waitFor(() => expect(subjects()).toHaveLength(100));
  expect(subjects()[99]).toBe('user-801');
});

it('looks for what is typed and chosen, and shows everything again', async () => {
  const asked = open((request) =>
    request.text === '' && request.kind === null
      ? pageOf(request, 3)
      : { entries: [], before: null },
  );
  await screen.findAllByTestId('activity-entry');
  await userEvent.keyboard('/');
  await userEvent.keyboard('abcd');
  await userEvent.click(screen.getByRole('tab', { name: 'Refused' }));
  await waitFor(() =>
    expect(requests(asked).at(-1)).toMatchObject({ text: 'abcd', kind: 'refusal', before: null }),
  );
  await userEvent.click(await screen.findByRole('button', { name: 'Show everything' }));
  await waitFor(() => expect(subjects()).toHaveLength(3));
});

it('folds sign-ins that follow each other, and shows each when asked to', async () => {
  const signIns = [3, 2, 1].map((number) =>
    entryLike(number, { kind: 'sign_in', code: 'signed_in', title: 'Signed in' }),
  );
  const asked = open((request) => ({
    entries: [entryLike(4), ...signIns],
    before: request.before,
  }));
  const run = await screen.findByRole('button', { name: /3 sign-ins user-3, user-2 and user-1/u });
  expect(subjects()).toEqual(['user-4']);
  await userEvent.click(run);
  expect(subjects()).toEqual(['user-4', 'user-3', 'user-2', 'user-1']);
  await userEvent.click(screen.getByRole('tab', { name: 'Sign-ins' }));
  await waitFor(() => expect(requests(asked).at(-1)?.kind).toBe('sign_in'));
  await waitFor(() => expect(screen.queryByRole('button', { name: /3 sign-ins/u })).toBeNull());
});

it('begins with the search that another screen asked for', async () => {
  const asked = answer({ activity: () => ({ entries: [], before: null }) });
  searchActivity('marek');
  render(Activity, { instance });
  await waitFor(() => expect(requests(asked).at(-1)?.text).toBe('marek'));
});

it('leads to the user', async () => {
  open((request) => pageOf(request, 1));
  await userEvent.click(await screen.findByText('user-1'));
  expect(selection.of('here')).toBe('user-1');
  expect(studio.screen).toBe('users');
});

it('says what to do where nothing has happened, and where it cannot be shown', async () => {
  let damaged = false;
  open(() => {
    if (damaged) refuse('directory_held', 'Close it there.');
    return { entries: [], before: null };
  });
  await screen.findByText('Nothing has happened yet');
  damaged = true;
  tell({ kind: 'activity', instance: 'here' });
  await screen.findByTestId('activity-problem');
  damaged = false;
  await userEvent.click(screen.getByText('Try again'));
  await screen.findByText('Nothing has happened yet');
});

it('shows what was done here for an instance that is hosted elsewhere, and says what it lacks', async () => {
  const asked = answer({ activity: () => ({ entries: [], before: null }) });
  render(Activity, { instance: instanceLike({ hosted: 'elsewhere' }) });
  const said = await screen.findByTestId('activity-empty');
  expect(said.textContent).toContain('What you change with this Latchkey');
  expect(screen.getByTestId('screen-note').textContent).toContain('chat.yourcompany.com');
  expect(asked.map(({ name }) => name)).toEqual(['activity']);
});
