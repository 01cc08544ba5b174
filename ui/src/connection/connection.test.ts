import { screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';

import { answer, instanceLike, pageLike, refuse, tell, userLike } from '../../tests/answers';
import { banner, gateway, instance, lose, openBeforeEach } from '../../tests/lost-connection';
import type { ActivityEntry } from '../generated/types';
import { connections } from '../lib/state/connections.svelte';
import { lost } from '../lib/state/lost.svelte';
import { selection } from '../lib/state/selection.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';

openBeforeEach();

const checks = () => gateway.asked.filter(({ name }) => name === 'gateway_remote').length;

const realTimeout = globalThis.setTimeout;

/** Lets time pass, and the answers of that time arrive. */
async function pass(ms: number) {
  vi.advanceTimersByTime(ms);
  await new Promise((resolve) => realTimeout(resolve, 100));
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
  gateway.broken = 'unreachable';
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
  gateway.broken = null;
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
  gateway.broken = null;
  const users = gateway.asked.filter(({ name }) => name === 'users').length;
  await pass(4_200);
  await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull());
  expect(toasts.list.at(-1)?.text).toBe('Connected to admin.acme.example:8443 again.');
  await waitFor(() =>
    expect(gateway.asked.filter(({ name }) => name === 'users').length).toBeGreaterThan(users),
  );
});

it('comes back before the next try is due when the stream of changes is back', async () => {
  await lose('unreachable');
  for (const ms of [1_000, 2_000, 4_000, 8_000]) await pass(ms + 100);
  expect(lost.of(instance.id)?.nextAt).toBeGreaterThan(Date.now() + 10_000);
  gateway.broken = null;
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
  await waitFor(() => expect(gateway.asked.some(({ name }) => name === 'activity')).toBe(true));
  await pass(0);
  gateway.broken = 'unreachable';
  await user.click(screen.getByTestId('user-suspend'));
  await waitFor(() =>
    expect(screen.getByTestId('user-problem').textContent).toContain('No answer'),
  );
  gateway.broken = null;
  await connections.check(instance.id);
  await waitFor(() => expect(screen.queryByTestId('user-problem')).toBeNull());
});

it('finds within seconds that a connection is lost while nothing is asked', async () => {
  gateway.broken = 'unreachable';
  await pass(3_100);
  await banner();
});

it('gives the focus to the title when the button with it goes away', async () => {
  await lose('unreachable');
  const again = screen.getByTestId('connection-again');
  again.focus();
  gateway.broken = null;
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
  expect(gateway.asked.find(({ name }) => name === 'instance_reconnect')?.request).toMatchObject({
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
  gateway.broken = null;
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
    activity: () => gateway.reach({ entries: [entry], before: null }),
    users: () => gateway.reach(pageLike([userLike()])),
    seats: () => gateway.reach({ used: 1, limit: 10 }),
    gateway_remote: () => gateway.reach({} as never),
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
  expect(gateway.asked.some(({ name }) => name === 'certificate_trust')).toBe(false);
  await user.click(dialog.getByTestId('trust-submit'));
  await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull());
  expect(gateway.asked.find(({ name }) => name === 'certificate_trust')?.request).toEqual({
    instance: instance.id,
    fingerprint: 'DD:EE:FF',
  });
});

it('says that the gateway is an older Latchkey', async () => {
  await lose('older_gateway');
  expect((await banner()).textContent).toContain('An older Latchkey at admin.acme.example:8443');
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
