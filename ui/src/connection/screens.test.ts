import { screen, waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';

import {
  answer,
  connectedLike,
  forecastLike,
  inspectionLike,
  outlineLike,
  pageLike,
  previewLike,
  refuse,
  userLike,
} from '../../tests/answers';
import { banner, gateway, instance, lose, openBeforeEach } from '../../tests/lost-connection';
import { actions } from '../app/actions';
import { composerFor } from '../compose/composer.svelte';
import { inspectedFor } from '../inspect/inspected.svelte';
import { forgetInstance } from '../lib/state/changes';
import { connections } from '../lib/state/connections.svelte';
import { lost } from '../lib/state/lost.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import { listFor } from '../users/list.svelte';

openBeforeEach();

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
  gateway.silent = true;
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
  gateway.broken = 'scope_missing';
  await connections.check(instance.id);
  const state = await screen.findByTestId('gateway-state');
  await waitFor(() => expect(state.textContent).toContain('Not known'));
  expect(lost.of(instance.id)).toBeNull();
  gateway.broken = null;
  await connections.check(instance.id);
  await waitFor(() => expect(state.textContent).toContain('https://chat.acme.example'));
});

it('has the settings of a gateway on a server, without showing its secret', async () => {
  studio.open('settings');
  await waitFor(() =>
    expect(gateway.asked.some(({ name }) => name === 'instance_refresh')).toBe(true),
  );
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
  gateway.broken = 'unreachable';
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
  const before = gateway.asked.length;
  expect(await composer.copy('link')).toBe(false);
  expect(toasts.list.at(-1)?.text).toBe(
    'Nothing copied. Not possible until the connection is back.',
  );
  const names = gateway.asked.slice(before).map(({ name }) => name);
  expect(names.filter((name) => name === 'copy' || name === 'link_sign')).toEqual([]);
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
