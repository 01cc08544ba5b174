import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import {
  answer,
  inspectionLike,
  instanceLike,
  pageOf,
  forecastLike,
  previewLike,
  refuse,
  startLike,
  tell,
} from '../../tests/answers';
import type { GatewayState } from '../generated/types';
import { forgetInstance } from '../lib/state/changes';
import { listenForEvents } from '../lib/state/events';
import { gateway } from '../lib/state/gateway.svelte';
import { studio } from '../lib/state/studio.svelte';
import App from './App.svelte';

const PROGRAM = 'latchkey serve (process 23735)';
const here = instanceLike({ id: 'here', name: 'Here', hosted: 'here' });
let state: GatewayState;

beforeEach(async () => {
  cleanup();
  forgetInstance(here.id);
  const addresses = [{ ip: '127.0.0.1', interface: null }];
  state = { running: null, others: [{ instance: here.id, program: PROGRAM }], addresses };
  const free = () => state.others.length === 0;
  const held = () => refuse('directory_held', `The directory is in use by ${PROGRAM}.`);
  const unknown = { tone: 'caution' as const, title: 'Verifies', verdict: null };
  const told = () => (free() ? {} : unknown);
  answer({
    log_file: () => ({ path: '/data/log' }),
    start: () => startLike({ instances: [here], current: here.id }),
    gateway: () => state,
    seats: () => (free() ? { used: 3, limit: null } : held()),
    users: (request) => (free() ? pageOf(request, 3) : held()),
    compose: () => previewLike({ forecast: forecastLike({ verdict: 'provisioned', ...told() }) }),
    inspect: () => inspectionLike({ forecast: { ...inspectionLike().forecast, ...told() } }),
  });
  gateway.known = false;
  void listenForEvents();
  await studio.start();
});

const mark = () => screen.getByTestId('gateway-mark');

/** Ends the other program. */
function end() {
  state = { ...state, others: [] };
  tell({ kind: 'gateway' });
  tell({ kind: 'users', instance: here.id });
  tell({ kind: 'activity', instance: here.id });
}

it('a gateway that another program runs is named and cannot be started here', async () => {
  studio.open('gateway');
  render(App);
  await waitFor(() => expect(mark().textContent).toContain(`open in ${PROGRAM}`));
  expect(mark().title).toBe(`The gateway runs in ${PROGRAM}`);
  expect(screen.queryByRole('button', { name: 'Start the gateway' })).toBeNull();
  expect(screen.getByTestId('gateway-state').textContent).toContain(PROGRAM);
  expect(screen.getByTestId('gateway-state').textContent).not.toContain('Closed');

  end();
  // One is in the rail, one on the screen.
  await waitFor(() =>
    expect(screen.getAllByRole('button', { name: 'Start the gateway' })).toHaveLength(2),
  );
  expect(mark().textContent).toContain('closed');
});

it('a link opens in the program that runs the gateway, and not once that has ended', async () => {
  studio.open('compose');
  render(App);
  await userEvent.type(screen.getByLabelText(/^Person/u), 'ada@b.co');
  const said = `It runs in ${PROGRAM}.`;
  expect((await screen.findByTestId('gateway-elsewhere')).textContent).toContain(said);
  expect(screen.queryByTestId('gateway-closed')).toBeNull();

  studio.open('inspect');
  await userEvent.click(await screen.findByRole('textbox', { name: 'Link, code, tag or text' }));
  await userEvent.paste('https://chat.yourcompany.com/?externalAuthCode=a.b.c');
  expect((await screen.findByTestId('gateway-elsewhere')).textContent).toContain(said);

  studio.open('compose');
  await screen.findByTestId('gateway-elsewhere');
  end();
  await screen.findByTestId('gateway-closed');
});

it('seats and users are known again once the other program has ended', async () => {
  studio.open('users');
  render(App);
  await screen.findByText('not known');
  end();
  await waitFor(() => expect(screen.getByTestId('seat-count').textContent).toContain('3'));
  await waitFor(() => expect(screen.getAllByTestId('user-row')).toHaveLength(3));
});
