import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, refuse, type Asked } from '../../tests/answers';
import type { GatewayState } from '../generated/types';
import { gatewayDrafts } from '../lib/state/gateway-drafts.svelte';
import { gateway } from '../lib/state/gateway.svelte';
import { startForm } from '../lib/state/start-gateway';
import { studio } from '../lib/state/studio.svelte';
import GatewayStatus from './GatewayStatus.svelte';

const addresses: GatewayState['addresses'] = [
  { ip: '127.0.0.1', interface: null },
  { ip: '192.168.1.20', interface: 'wlan0' },
];
const here = instanceLike({ id: 'here', hosted: 'here', url: 'http://localhost:8787/' });
let asked: Asked[] = [];
let state: GatewayState;

beforeEach(async () => {
  cleanup();
  studio.instances = [here];
  studio.open('compose');
  gatewayDrafts.discard(here.id);
  state = { running: null, others: [], addresses };
  asked = answer({
    gateway: () => state,
    gateway_start: ({ instance, ip, port }) => {
      if (port === 1) return refuse('address_in_use', 'Another program listens there.', 'listen');
      const url = `http://${ip}:${port}/`;
      const running = {
        instance,
        url,
        on_network: false,
        fingerprint: null,
        qr: null,
        sign_ins: 0,
      };
      return (state = { addresses, others: [], running });
    },
    seats: () => ({ used: 1, limit: null }),
  });
  gateway.problem = null;
  await gateway.refresh();
});

it('starts the gateway as it was chosen on its screen, on this computer alone at first', async () => {
  render(GatewayStatus, { instance: here });
  await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
  const started = { instance: 'here', ip: '127.0.0.1', port: 8787, tls: { kind: 'off' } };
  expect(asked.filter(({ name }) => name === 'gateway_start')).toEqual([
    { name: 'gateway_start', request: started },
  ]);
  await waitFor(() => expect(screen.getByTestId('gateway-mark').textContent).toContain('open'));
  expect(screen.queryByRole('button', { name: 'Start the gateway' })).toBeNull();
  expect(studio.screen).toBe('compose');

  gateway.running = null;
  gatewayDrafts.change(here, { ip: '192.168.1.20', port: '9000' });
  await userEvent.click(await screen.findByRole('button', { name: 'Start the gateway' }));
  expect(asked.findLast(({ name }) => name === 'gateway_start')?.request).toEqual({
    ...started,
    ip: '192.168.1.20',
    port: 9000,
  });
});

it('listens on no network that was left', () => {
  gatewayDrafts.change(here, { ip: '10.1.2.3' });
  expect(gatewayDrafts.request(here)?.ip).toBe('127.0.0.1');
});

it('starts as it did the last time, but shows a network of the last time first', async () => {
  const certificate = '/etc/a.pem';
  const tls = { kind: 'files' as const, certificate, key: '/etc/a.key' };
  gatewayDrafts.remember([{ instance: 'here', ip: '127.0.0.1', port: 9000, tls }]);
  render(GatewayStatus, { instance: here });
  await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
  const started = { instance: 'here', ip: '127.0.0.1', port: 9000, tls };
  expect(asked.findLast(({ name }) => name === 'gateway_start')?.request).toEqual(started);

  gateway.running = null;
  gatewayDrafts.remember([{ ...started, ip: '192.168.1.20' }]);
  const before = asked.length;
  await userEvent.click(await screen.findByRole('button', { name: 'Start the gateway' }));
  expect(studio.screen).toBe('gateway');
  expect(asked.slice(before).filter(({ name }) => name === 'gateway_start')).toEqual([]);
  // Nor does it listen elsewhere where that network is not there, or not known yet.
  const known = gateway.addresses;
  for (const some of [[], known.slice(0, 1)]) {
    gateway.addresses = some;
    expect(gatewayDrafts.requestAtOnce(here)).toBeNull();
  }
  gateway.addresses = known;
  // Once it was started by its form, it is the choice of today.
  gatewayDrafts.settle(here);
  expect(gatewayDrafts.requestAtOnce(here)).toEqual({ ...started, ip: '192.168.1.20' });
  // The current choice wins over the remembered one, also after a reload.
  gatewayDrafts.change(here, { port: '9100' });
  gatewayDrafts.remember([started]);
  expect(gatewayDrafts.of(here).port).toBe('9100');
});

it('leads to its screen where it does not start, and where that would end another one', async () => {
  gatewayDrafts.change(here, { port: '1' });
  render(GatewayStatus, { instance: here });
  await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
  await waitFor(() => expect(studio.screen).toBe('gateway'));
  expect(startForm(here).problem?.message).toBe('Another program listens there.');

  studio.open('compose');
  gatewayDrafts.discard(here.id);
  const url = 'http://127.0.0.1:9000/';
  const other = { instance: 'other', url, on_network: false, fingerprint: null, qr: null };
  gateway.running = { ...other, sign_ins: 0 };
  const before = asked.length;
  await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
  expect(studio.screen).toBe('gateway');
  expect(asked.slice(before).filter(({ name }) => name === 'gateway_start')).toEqual([]);
});
