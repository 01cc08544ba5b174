import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, expect, it, vi } from 'vitest';

import {
  answer,
  inspectionLike,
  instanceLike,
  pageOf,
  previewLike,
  runningLike,
  settle,
  startLike,
  tell,
  type Asked,
} from '../../../tests/answers';
import App from '../../app/App.svelte';
import { composerFor } from '../../compose/composer.svelte';
import type { CloseAsked, GatewayState, Instance, Start } from '../../generated/types';
import { screens } from '../screens';
import { forgetInstance } from './changes';
import { closing } from './closing.svelte';
import { listenForEvents } from './events';
import { gateway } from './gateway.svelte';
import { studio } from './studio.svelte';
import { toasts } from './toasts.svelte';

const here = instanceLike({ id: 'here', name: 'Here', hosted: 'here' });
const other = instanceLike({ id: 'other', name: 'Other' });
let instances: Instance[];
let problems: Start['problems'];
let state: GatewayState;
let consequences: CloseAsked | null;
let used: number;
let total: number;
let asked: Asked[];

const names = () => asked.map(({ name }) => name);

beforeEach(async () => {
  cleanup();
  forgetInstance(here.id);
  toasts.list = [];
  closing.asked = null;
  [instances, problems, used, total] = [[here, other], [], 1, 1];
  state = { running: runningLike({ instance: here.id }), others: [], addresses: [] };
  consequences = { instance: here.id, people: 2 };
  asked = answer({
    log_file: () => ({ path: '/data/log' }),
    start: () => startLike({ instances, problems, current: here.id }),
    gateway: () => state,
    seats: () => ({ used, limit: null }),
    users: (request) => pageOf(request, total),
    activity: () => ({ entries: [], before: null }),
    compose: () => previewLike(),
    inspect: () => inspectionLike(),
    close_asked: () => consequences,
  });
  void listenForEvents();
  await studio.start();
  studio.open('users');
  render(App);
  await screen.findByTestId('user-row');
  await waitFor(() => expect(gateway.urlOf(here.id)).not.toBeNull());
  expect(screen.getByTestId('seat-count').textContent).toContain('1');
  await settle(asked);
});

it('nothing is asked while nothing happens', async () => {
  vi.useFakeTimers();
  for (const { id } of screens) {
    studio.open(id);
    await vi.advanceTimersByTimeAsync(1000);
    asked.length = 0;
    await vi.advanceTimersByTimeAsync(50_000);
    expect(names(), id).toEqual([]);
  }
});

it('a new user is shown, with the seat', async () => {
  [used, total] = [2, 2];
  tell({ kind: 'users', instance: here.id });
  await waitFor(() => expect(screen.getAllByTestId('user-row')).toHaveLength(2));
  await waitFor(() => expect(screen.getByTestId('seat-count').textContent).toContain('2'));
});

it('sign-ins are counted while the gateway is open', async () => {
  state = { running: runningLike({ instance: here.id, sign_ins: 1 }), others: [], addresses: [] };
  tell({ kind: 'activity', instance: here.id });
  await waitFor(() => expect(gateway.running?.sign_ins).toBe(1));
});

it('what happens on another instance asks for its seats alone', async () => {
  asked.length = 0;
  tell({ kind: 'users', instance: other.id });
  tell({ kind: 'activity', instance: other.id });
  await waitFor(() => expect(names()).toEqual(['seats']));
});

it('a link stays on the screen when other instances change, and nothing else has', async () => {
  studio.open('compose');
  composerFor(here.id).draft.person = 'ada@yourcompany.com';
  await screen.findByTestId('link');
  asked.length = 0;
  // Each crosses as a copy.
  instances = structuredClone([here, { ...other, name: 'Renamed' }]);
  tell({ kind: 'instances' });
  await waitFor(() => expect(studio.instances.map(({ name }) => name)).toContain('Renamed'));
  tell({ kind: 'activity', instance: here.id });
  tell({ kind: 'users', instance: other.id });
  await waitFor(() => expect(names()).toContain('seats'));
  expect(names()).not.toContain('compose');
});

it('a gateway that has ended is shown as closed', async () => {
  state = { running: null, others: [], addresses: [] };
  tell({ kind: 'gateway' });
  await waitFor(() => expect(screen.getByTestId('gateway-mark').textContent).toContain('closed'));
});

it('an instance that another process has changed is shown, and what is typed stays', async () => {
  composerFor(here.id).draft.person = 'ada@';
  const renamed = { ...other, name: 'Renamed' };
  const added = instanceLike({ id: 'added', name: 'Added' });
  // Each crosses as a copy.
  instances = structuredClone([here, renamed, added]);
  const before = studio.current;
  tell({ kind: 'instances' });
  await waitFor(() =>
    expect(studio.instances.map(({ name }) => name)).toEqual(['Here', 'Renamed', 'Added']),
  );
  expect(studio.current).toBe(before);
  expect(studio.screen).toBe('users');
  expect(composerFor(here.id).draft.person).toBe('ada@');
});

it('what is wrong with an instance is said once', async () => {
  problems = [{ code: 'damaged_file', message: 'It cannot be used.', field: null }];
  for (const expected of [1, 1]) {
    asked.length = 0;
    tell({ kind: 'instances' });
    await waitFor(() => expect(names()).toContain('start'));
    await waitFor(() => expect(studio.unreadable).toEqual(problems));
    expect(toasts.list).toHaveLength(expected);
  }
});

it('the question before the window closes is asked, and not where the gateway has ended', async () => {
  tell({ kind: 'close_asked' });
  const said = await screen.findByRole('dialog');
  expect(said.textContent).toContain('2 people are signed in there');
  closing.keepOpen();
  consequences = null;
  tell({ kind: 'close_asked' });
  await waitFor(() => expect(names()).toContain('close'));
});
