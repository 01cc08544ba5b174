import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import {
  answer,
  connectedLike,
  forecastLike,
  inspectionLike,
  instanceLike,
  outlineLike,
  pageLike,
  previewLike,
  refuse,
  startLike,
  tell,
  userLike,
  type Asked,
} from '../../tests/answers';
import { actions } from '../app/actions';
import App from '../app/App.svelte';
import { composerFor } from '../compose/composer.svelte';
import type { ActivityEntry } from '../generated/types';
import { inspectedFor } from '../inspect/inspected.svelte';
import { forgetInstance } from '../lib/state/changes';
import { connections } from '../lib/state/connections.svelte';
import { listenForEvents } from '../lib/state/events';
import { lost } from '../lib/state/lost.svelte';
import { selection } from '../lib/state/selection.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import { listFor } from '../users/list.svelte';

const instance = connectedLike();
/** Code of the problem with which the gateway is reached; null while it answers. */
let broken: string | null;
/** Whether the gateway leaves the question for the forecast unanswered. */
let silent: boolean;
let asked: Asked[];

function reach<T>(answered: T): T {
  if (broken !== null) refuse(broken, 'The gateway does not answer. Check the network.');
  return answered;
}

const checks = () => asked.filter(({ name }) => name === 'gateway_remote').length;
const banner = () => screen.findByTestId('connection-lost');

beforeEach(async () => {
  cleanup();
  vi.useFakeTimers({
    shouldAdvanceTime: true,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
  });
  broken = null;
  silent = false;
  toasts.list = [];
  forgetInstance(instance.id);
  selection.clear(instance.id);
  asked = answer({
    log_file: () => ({ path: '/data/log' }),
    start: () => startLike({ instances: [instance], current: instance.id }),
    seats: () => reach({ used: 1, limit: 10 }),
    users: () => reach(pageLike([userLike()])),
    user: () => reach({ user: userLike(), metadata_json: '{}' }),
    user_suspend: () => reach({ user: userLike({ status: 'suspended' }), metadata_json: '{}' }),
    activity: () => reach({ entries: [], before: null }),
    compose: () => outlineLike(),
    link_forecast: () =>
      silent ? new Promise(() => undefined) : reach({ forecast: forecastLike(), remedies: [] }),
    instance_refresh: () => reach(instance),
    instance_reconnect: () => {
      broken = null;
      return instance;
    },
    connection_parts: () => ({
      host: 'admin.acme.example:8443',
      instance: 'acme',
      fingerprint: 'AA:BB:CC',
    }),
    certificate_seen: () => ({ known: 'AA:BB:CC', seen: 'DD:EE:FF' }),
    certificate_trust: () => {
      broken = null;
      return instance;
    },
    gateway_remote: () =>
      reach({
        address: 'https://chat.acme.example/',
        started_at: Math.floor(Date.now() / 1000) - 7200,
        program: 'latchkey serve',
        version: '0.1.0',
        sign_ins_today: 63,
      }),
  });
  await studio.start();
  await listenForEvents();
  studio.open('users');
  render(App);
  await screen.findByTestId('user-row');
  await waitFor(() => expect(connections.stateOf(instance.id)).not.toBeNull());
});

afterEach(() => vi.useRealTimers());

const realTimeout = globalThis.setTimeout;

/** Lets time pass, and the answers of that time arrive. */
async function pass(ms: number) {
  vi.advanceTimersByTime(ms);
  await new Promise((resolve) => realTimeout(resolve, 100));
}

async function lose(cause: string) {
  broken = cause;
  await connections.check(instance.id);
  await banner();
}

it('names the place in the rail, at the switcher and at the foot', () => {
  expect(screen.getByTestId('instance-switcher').textContent).toContain(
    'on admin.acme.example:8443',
  );
  const mark = screen.getByTestId('gateway-mark');
  expect(mark.textContent).toContain('connected');
  expect(mark.textContent).toContain('on admin.acme.example:8443');
});

it('says at the top that the connection is lost, and since when, and keeps what is shown', async () => {
  await lose('unreachable');
  const said = await banner();
  expect(said.getAttribute('role')).toBe('alert');
  expect(said.textContent).toMatch(/No connection to admin\.acme\.example:8443 since \d\d:\d\d/u);
  expect(said.textContent).toContain('Check the network');
  expect(screen.getByTestId('user-row')).toBeTruthy();
  expect(screen.getByTestId('seat-count').textContent.trim()).toBe('1 of 10');
  expect(screen.queryByTestId('users-problem')).toBeNull();
});

it('keeps the rows when another request finds that the connection is lost', async () => {
  broken = 'unreachable';
  await userEvent.type(screen.getByTestId('users-search'), 'a', {
    advanceTimers: (ms) => vi.advanceTimersByTime(ms),
  });
  await banner();
  expect(screen.getByTestId('user-row')).toBeTruthy();
});

it('disables what changes, with the reason, and enables it again', async () => {
  const user = userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
  selection.select(instance.id, 'ada-1815');
  const suspend = await screen.findByTestId<HTMLButtonElement>('user-suspend');
  expect(suspend.disabled).toBe(false);
  await lose('unreachable');
  for (const id of ['user-suspend', 'user-remove', 'user-sign-out', 'users-add']) {
    const button = screen.getByTestId<HTMLButtonElement>(id);
    expect(button.disabled, id).toBe(true);
    expect(button.title).toContain('until the connection is back');
  }
  expect(suspend.getAttribute('aria-describedby')).toBe('connection-banner');
  broken = null;
  await user.click(screen.getByTestId('connection-again'));
  await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull());
  expect(suspend.disabled).toBe(false);
});

it('tries again by itself with longer and longer pauses, and comes back', async () => {
  await lose('unreachable');
  const before = checks();
  await pass(1_000);
  expect(checks()).toBe(before + 1);
  await pass(1_000);
  expect(checks()).toBe(before + 1);
  await pass(1_000);
  expect(checks()).toBe(before + 2);
  broken = null;
  const users = asked.filter(({ name }) => name === 'users').length;
  await pass(4_200);
  await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull());
  expect(toasts.list.at(-1)?.text).toBe('Connected to admin.acme.example:8443 again.');
  await waitFor(() =>
    expect(asked.filter(({ name }) => name === 'users').length).toBeGreaterThan(users),
  );
});

it('comes back before the next try is due when the stream of changes is back', async () => {
  await lose('unreachable');
  for (const ms of [1_000, 2_000, 4_000, 8_000]) await pass(ms + 100);
  expect(lost.of(instance.id)?.nextAt).toBeGreaterThan(Date.now() + 10_000);
  broken = null;
  tell({ kind: 'users', instance: instance.id });
  await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull());
});

it('counts down from the moment at which the connection is lost', async () => {
  await pass(120_000);
  await lose('unreachable');
  expect(screen.getByTestId('connection-next').textContent).toContain('in 1 s');
});

it('shows what became of an unanswered change once the connection is back', async () => {
  const user = userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
  selection.select(instance.id, 'ada-1815');
  await screen.findByTestId('user-suspend');
  await waitFor(() => expect(asked.some(({ name }) => name === 'activity')).toBe(true));
  await pass(0);
  broken = 'unreachable';
  await user.click(screen.getByTestId('user-suspend'));
  await waitFor(() =>
    expect(screen.getByTestId('user-problem').textContent).toContain('No answer'),
  );
  broken = null;
  await connections.check(instance.id);
  await waitFor(() => expect(screen.queryByTestId('user-problem')).toBeNull());
});

it('finds within seconds that a connection is lost while nothing is asked', async () => {
  broken = 'unreachable';
  await pass(3_100);
  await banner();
});

it('gives the focus to the title when the button with it goes away', async () => {
  await lose('unreachable');
  const again = screen.getByTestId('connection-again');
  again.focus();
  broken = null;
  again.click();
  await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull());
  await waitFor(() => expect(document.activeElement?.textContent).toBe('Users'));
});

it('never tries a refused key by itself, and takes a new one in its place', async () => {
  const user = userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
  await lose('key_refused');
  const said = (await banner()).textContent;
  expect(said).toContain('revoked or has expired');
  expect(said).not.toContain('The gateway does not answer');
  const before = checks();
  await pass(60_000);
  tell({ kind: 'users', instance: instance.id });
  expect(checks()).toBe(before);
  await user.click(screen.getByTestId('connection-key'));
  await user.type(screen.getByTestId('gateway-text'), 'latchkey://admin.acme.example/acme?pair=X');
  await user.click(screen.getByTestId('gateway-connect'));
  await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull());
  expect(asked.find(({ name }) => name === 'instance_reconnect')?.request).toMatchObject({
    instance: instance.id,
  });
});

it('asks nothing of a gateway that refuses the key, at no change of the screen or instance', async () => {
  const other = instanceLike();
  studio.put(other);
  await lose('key_refused');
  const before = checks();
  for (const screenId of ['activity', 'settings', 'gateway', 'users'] as const) {
    studio.open(screenId);
    await pass(3_100);
  }
  await studio.select(other.id);
  await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull());
  await studio.select(instance.id);
  await banner();
  await pass(3_100);
  expect(checks()).toBe(before);
  screen.getByTestId('connection-again').click();
  await waitFor(() => expect(checks()).toBe(before + 1));
});

it('stays without a connection while the gateway has locked this address out', async () => {
  await lose('key_refused');
  answer({ gateway_remote: () => refuse('busy', 'There were too many wrong API keys.') });
  await connections.check(instance.id);
  expect(lost.of(instance.id)?.cause).toBe('key_refused');
  expect(toasts.list.at(-1)?.text).toContain('too many wrong');
});

it('tries again by itself after another certificate was seen, and closes the question', async () => {
  await lose('wrong_certificate');
  expect(screen.getByTestId('connection-next').textContent).toContain('in 1 s');
  screen.getByTestId('connection-trust').click();
  await screen.findByRole('dialog');
  broken = null;
  await pass(1_100);
  await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull());
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
});

it('shows a seat limit that was set at the gateway', async () => {
  answer({ seats: () => ({ used: 1, limit: 4500 }) });
  tell({ kind: 'users', instance: instance.id });
  await waitFor(() =>
    expect(screen.getByTestId('seat-count').textContent.trim()).toBe('1 of 4,500'),
  );
});

it('keeps the activity that was shown before', async () => {
  const entry: ActivityEntry = {
    number: 1,
    at: 1_795_300_000,
    actor: 'API key CRM',
    address: null,
    reference: null,
    kind: 'act',
    code: 'suspended',
    title: 'Suspended',
    detail: null,
    parameters: {},
    subject: 'ada-1815',
  };
  answer({
    activity: () => reach({ entries: [entry], before: null }),
    users: () => reach(pageLike([userLike()])),
    seats: () => reach({ used: 1, limit: 10 }),
    gateway_remote: () => reach({} as never),
  });
  studio.open('activity');
  await screen.findByTestId('activity-entry');
  studio.open('users');
  await lose('unreachable');
  studio.open('activity');
  await screen.findByTestId('activity-entry');
  expect(screen.queryByTestId('activity-problem')).toBeNull();
});

it('shows both fingerprints of another certificate, and asks before it is trusted', async () => {
  const user = userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
  await lose('wrong_certificate');
  expect((await banner()).textContent).toContain('Nothing was sent');
  await user.click(screen.getByTestId('connection-trust'));
  const dialog = within(await screen.findByRole('dialog'));
  await waitFor(() => expect(dialog.getByTestId('fingerprint-seen').textContent).toBe('DD:EE:FF'));
  expect(dialog.getByTestId('fingerprint-known').textContent).toBe('AA:BB:CC');
  expect(asked.some(({ name }) => name === 'certificate_trust')).toBe(false);
  await user.click(dialog.getByTestId('trust-submit'));
  await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull());
  expect(asked.find(({ name }) => name === 'certificate_trust')?.request).toEqual({
    instance: instance.id,
    fingerprint: 'DD:EE:FF',
  });
});

it('says that the gateway is an older Latchkey', async () => {
  await lose('older_gateway');
  expect((await banner()).textContent).toContain('An older Latchkey at admin.acme.example:8443');
});

it('copies no link that its gateway cannot sign', async () => {
  await lose('unreachable');
  studio.open('compose');
  const composer = composerFor(instance.id);
  composer.draft.person = 'ada@acme.example';
  const copy = await screen.findByTestId<HTMLButtonElement>('copy-link');
  expect(copy.disabled).toBe(true);
  expect(lost.reason(instance.id)).toBe(copy.title);
});

it('does not wait for the forecast of a gateway that is out of reach', async () => {
  silent = true;
  studio.open('compose');
  composerFor(instance.id).draft.person = 'ada@acme.example';
  await screen.findByText(/Asking admin/u);
  await lose('unreachable');
  expect((await screen.findByTestId('forecast-unknown')).textContent).toContain('is not known now');
  expect(screen.queryByText(/Asking admin/u)).toBeNull();
});

it('shows the state of the gateway there, which cannot be started or stopped here', async () => {
  studio.open('gateway');
  const state = await screen.findByTestId('gateway-state');
  await waitFor(() => expect(state.textContent).toContain('https://chat.acme.example'));
  expect(state.textContent).toContain('for 2 hours');
  expect(screen.getByText('63 sign-ins')).toBeTruthy();
  expect(screen.queryByRole('button', { name: /Start|Stop/u })).toBeNull();
  await lose('unreachable');
  expect(state.textContent).toContain('Was open at');
});

it('says why a gateway that answers does not tell its state', async () => {
  studio.open('gateway');
  broken = 'scope_missing';
  await connections.check(instance.id);
  const state = await screen.findByTestId('gateway-state');
  await waitFor(() => expect(state.textContent).toContain('Not known'));
  expect(lost.of(instance.id)).toBeNull();
  broken = null;
  await connections.check(instance.id);
  await waitFor(() => expect(state.textContent).toContain('https://chat.acme.example'));
});

it('has the settings of a gateway on a server, without showing its secret', async () => {
  studio.open('settings');
  await waitFor(() => expect(asked.some(({ name }) => name === 'instance_refresh')).toBe(true));
  expect(screen.getByText('on admin.acme.example:8443, as acme')).toBeTruthy();
  expect(screen.queryByRole('button', { name: /Show/u })).toBeNull();
  // Backups of an instance on a gateway are made on the server.
  expect(screen.queryByTestId('backup-save')).toBeNull();
  expect(screen.getByTestId('secret-replace')).toBeTruthy();
  await lose('unreachable');
  expect(screen.getByTestId<HTMLButtonElement>('secret-replace').disabled).toBe(true);
  expect(screen.getByTestId<HTMLButtonElement>('api-key-make').disabled).toBe(true);
});

it('does not say that the gateway has its settings before it has told them', async () => {
  forgetInstance(instance.id);
  broken = 'unreachable';
  const bare = connectedLike({ key: null, api_keys: [] });
  studio.put(bare);
  studio.open('settings');
  const status = await screen.findByTestId('secret-status');
  expect(status.textContent).toContain('Not known yet');
  expect(screen.getByTestId('api-state').textContent).toContain('Not known yet');
  expect(document.body.textContent).not.toContain('no links can be made');
  answer({ instance_refresh: () => bare, seats: () => ({ used: 0, limit: null }) });
  await studio.refresh(bare.id);
  await waitFor(() => expect(status.isConnected && status.textContent).toBeFalsy());
  expect(screen.getByTestId('secret-status').textContent).toContain('There is no secret yet');
  expect(screen.getByTestId('api-state').textContent).toContain('The API is off');
});

it('has no backup of an instance that a gateway on a server has', async () => {
  studio.open('settings');
  await screen.findByTestId('api-key-make');
  expect(screen.queryByTestId('backup-save')).toBeNull();
});

it('keeps the banner after a mend until the gateway has answered', async () => {
  await lose('key_refused');
  let arrive: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  answer({ gateway_remote: () => arrived.then(() => ({})) as never });
  const mended = connections.mended(instance.id);
  await pass(100);
  expect(screen.getByTestId('connection-lost')).toBeTruthy();
  expect(toasts.list.some(({ text }) => text.startsWith('Connected to'))).toBe(false);
  arrive();
  await mended;
  await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull());
  expect(toasts.list.at(-1)?.text).toContain('Connected to');
});

it('checks a mended connection anew while a check with the old key is under way', async () => {
  await lose('key_refused');
  let arrive: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  let checked = 0;
  answer({
    gateway_remote: async () => {
      checked += 1;
      if (checked > 1) return {} as never;
      await arrived;
      return refuse('key_refused', 'The key is refused.');
    },
  });
  void connections.check(instance.id);
  const mended = connections.mended(instance.id);
  arrive();
  await mended;
  expect(checked).toBe(2);
  expect(lost.of(instance.id)).toBeNull();
});

it('disables imports, corrections and new users without a connection, and says why', async () => {
  const notice = { code: 'times_ahead', message: 'Times lie in the future.' } as never;
  answer({
    users: () => ({ ...pageLike([userLike()]), notices: [notice] }),
    seats: () => ({ used: 1, limit: null }),
  });
  await listFor(instance.id).reload();
  await screen.findByTestId('users-correct-times');
  answer({ gateway_remote: () => refuse('unreachable', 'The gateway does not answer.') });
  await connections.check(instance.id);
  await banner();
  expect(screen.getByTestId<HTMLButtonElement>('users-correct-times').disabled).toBe(true);
  expect(screen.getByTestId<HTMLButtonElement>('users-import').disabled).toBe(true);
  expect(screen.getByTestId('users-import-blocked').textContent).toContain(
    'until the connection is back',
  );
  const ids = actions(instance, () => undefined).map(({ id }) => id);
  expect(ids).not.toContain('add-user');
});

it('says why the key for copying does nothing without a connection, and asks nobody', async () => {
  studio.open('compose');
  const composer = composerFor(instance.id);
  composer.draft.person = 'ada@acme.example';
  await screen.findByTestId('copy-link');
  await lose('unreachable');
  const before = asked.length;
  expect(await composer.copy('link')).toBe(false);
  expect(toasts.list.at(-1)?.text).toBe(
    'Nothing copied. Not possible until the connection is back.',
  );
  expect(asked.slice(before).map(({ name }) => name)).toEqual([]);
});

it('offers no QR code of an unsigned link in the palette', async () => {
  answer({
    compose: () => outlineLike({ forecast: forecastLike(), qr: previewLike().qr }),
    users: () => pageLike([]),
  });
  studio.open('compose');
  const { draft, live } = composerFor(instance.id);
  draft.person = 'ada@acme.example';
  await waitFor(() => expect(live.ready).toBe(true));
  const ids = actions(instance, () => undefined).map(({ id }) => id);
  expect(ids).toContain('copy-link');
  expect(ids.filter((id) => /qr|save/u.test(id))).toEqual([]);
});

it('shows what can be read of a code without the gateway, and says that it was not asked', async () => {
  const unasked = { code: 'unreachable', message: 'It does not answer.', field: null } as const;
  let off = true;
  answer({
    inspect: () => inspectionLike({ unasked: off ? unasked : null }),
    users: () => pageLike([userLike()]),
    activity: () => ({ entries: [], before: null }),
    seats: () => ({ used: 1, limit: null }),
    gateway_remote: () => (off ? refuse('unreachable', 'It does not answer.') : ({} as never)),
  });
  studio.open('inspect');
  inspectedFor(instance.id).type('a.b.c');
  const said = await screen.findByTestId('inspect-forecast');
  await waitFor(() => expect(said.textContent).toContain('Not checked'));
  expect(said.textContent).toContain('admin.acme.example:8443 was not asked');
  expect(said.textContent).toContain('It does not answer.');
  expect(screen.getByTestId('inspect-contents').textContent).toContain('Works until');
  // The answer shows that the connection is lost, and the code is checked when it is back.
  await banner();
  off = false;
  await connections.check(instance.id);
  await waitFor(() => expect(said.textContent).toContain('Signs in ada'));
});
