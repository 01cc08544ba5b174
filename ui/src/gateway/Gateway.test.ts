import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, refuse, type Asked } from '../../tests/answers';
import type { ActivityEntry, GatewayState, Instance, QrPreview } from '../generated/types';
import { gatewayDrafts } from '../lib/state/gateway-drafts.svelte';
import { gateway } from '../lib/state/gateway.svelte';
import { startForm } from '../lib/state/start-gateway';
import { studio } from '../lib/state/studio.svelte';
import Gateway from './Gateway.svelte';

const addresses: GatewayState['addresses'] = [
  { ip: '127.0.0.1', interface: null },
  { ip: '192.168.1.20', interface: 'wlan0' },
];
const QR: QrPreview = { version: 2, modules: 25, level: 'M', path: 'M4 4h1v1h-1z', warning: null };
let asked: Asked[] = [];
let state: GatewayState;
let kept: Instance;
let refusals: ActivityEntry[] = [];

/** The last request to start. */
const started = () => asked.findLast(({ name }) => name === 'gateway_start');

beforeEach(async () => {
  cleanup();
  kept = instanceLike({ id: 'here', hosted: 'here', url: 'http://localhost:8787/' });
  studio.instances = [kept];
  state = { running: null, others: [], addresses };
  asked = answer({
    gateway: () => state,
    gateway_start: ({ instance, ip, port, tls }) => {
      if (port === 1) return refuse('address_in_use', 'Another program listens there.', 'listen');
      if (tls.kind === 'files' && tls.key === '')
        return refuse('invalid_setting', 'The certificate’s key cannot be read.', 'tls');
      const onNetwork = ip !== '127.0.0.1';
      const running = {
        instance,
        url: `${tls.kind === 'off' ? 'http' : 'https'}://${ip}:${port}/`,
        on_network: onNetwork,
        fingerprint: tls.kind === 'off' ? null : 'AB:CD',
        qr: onNetwork ? QR : null,
        sign_ins: 0,
      };
      return (state = { addresses, others: [], running });
    },
    gateway_file_choose: (file) => ({ path: file === 'key' ? '/etc/a.key' : null }),
    gateway_stop: () => (state = { running: null, others: [], addresses }),
    seats: () => ({ used: 1, limit: null }),
    activity: () => ({ entries: refusals, before: null }),
    instance_update: ({ settings }) => (kept = { ...kept, ...settings }),
  });
  gateway.running = null;
  refusals = [];
  startForm(kept).reset();
  gatewayDrafts.discard('here');
  await gateway.refresh();
});

it('starts on this computer alone, at the port to which links lead, and ends', async () => {
  render(Gateway, { instance: kept });
  expect(screen.getByTestId('gateway-state').textContent).toContain('Closed');
  await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
  expect(started()).toEqual({
    name: 'gateway_start',
    request: { instance: 'here', ip: '127.0.0.1', port: 8787, tls: { kind: 'off' } },
  });
  await waitFor(() =>
    expect(screen.getByTestId('gateway-state').textContent).toContain('http://127.0.0.1:8787/'),
  );
  expect(screen.queryByRole('button', { name: /^Make links for/u })).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Stop the gateway' }));
  await waitFor(() => expect(screen.getByTestId('gateway-state').textContent).toContain('Closed'));
});

it('says what opening it to a network means, and lets links lead there', async () => {
  render(Gateway, { instance: kept });
  await userEvent.selectOptions(screen.getByLabelText('Who can reach it'), '192.168.1.20');
  expect(screen.getByText('Everybody on that network will reach the gateway')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
  await userEvent.click(await screen.findByRole('button', { name: /^Make links for/u }));
  await waitFor(() => expect(studio.instances[0]?.url).toBe('http://192.168.1.20:8787/'));
});

it('shows how it was started the last time, and starts so again', async () => {
  const tls = { kind: 'self_signed' as const };
  const request = { instance: 'here', ip: '192.168.1.20', port: 9000, tls };
  gatewayDrafts.remember([request]);
  render(Gateway, { instance: kept });
  expect(screen.getByText('Everybody on that network will reach the gateway')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
  expect(started()).toEqual({ name: 'gateway_start', request });
  expect(gatewayDrafts.requestAtOnce(kept)).toEqual(request);
});

it('takes no answer for the latest that was asked for before it was started', async () => {
  let answerLate: ((state: GatewayState) => void) | undefined;
  const late = new Promise<GatewayState>((resolve) => (answerLate = resolve));
  const started = state;
  answer({
    gateway: () => late,
    gateway_start: ({ instance }) => ({
      addresses,
      others: [],
      running: {
        instance,
        url: 'http://127.0.0.1:8787/',
        on_network: false,
        fingerprint: null,
        qr: null,
        sign_ins: 0,
      },
    }),
    seats: () => ({ used: 1, limit: null }),
  });
  const asking = gateway.refresh();
  const request = { instance: 'here', ip: '127.0.0.1', port: 8787, tls: { kind: 'off' as const } };
  await gateway.start(request);
  answerLate?.(started);
  await asking;
  expect(gateway.urlOf('here')).toBe('http://127.0.0.1:8787/');
});

it('speaks https with a certificate that is made here, and shows a phone the way', async () => {
  render(Gateway, { instance: kept });
  await userEvent.selectOptions(screen.getByLabelText('Who can reach it'), '192.168.1.20');
  await userEvent.selectOptions(screen.getByLabelText('TLS'), 'files');
  await userEvent.type(screen.getByRole('textbox', { name: 'Certificate' }), '/etc/a.pem');
  await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
  await screen.findByText('The certificate’s key cannot be read.');
  // Who chooses none has what was there.
  await userEvent.click(screen.getByRole('button', { name: 'Choose: Certificate' }));
  await userEvent.click(screen.getByRole('button', { name: 'Choose: Private key' }));
  await waitFor(() =>
    expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'Private key' }).value).toBe(
      '/etc/a.key',
    ),
  );
  expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'Certificate' }).value).toBe(
    '/etc/a.pem',
  );
  await userEvent.selectOptions(screen.getByLabelText('TLS'), 'self_signed');
  await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
  await waitFor(() => expect(screen.getByTestId('gateway-fingerprint').textContent).toBe('AB:CD'));
  expect(screen.getByRole('img', { name: 'QR code of the gateway’s address' })).toBeTruthy();
  expect(screen.getByTestId('gateway-state').textContent).toContain('https://192.168.1.20:8787/');
});

it('takes no port that is none, and says at the field why it was not started', async () => {
  render(Gateway, { instance: kept });
  const port = screen.getByRole('textbox', { name: 'Port' });
  for (const wrong of ['0', '65536', 'x', '']) {
    await userEvent.clear(port);
    if (wrong !== '') await userEvent.type(port, wrong);
    await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
    await waitFor(() => expect(port.getAttribute('aria-invalid')).toBe('true'));
    expect(document.activeElement).toBe(port);
  }
  expect(started()).toBeUndefined();
  await userEvent.type(port, '1');
  await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
  await screen.findByText('Another program listens there.');
  const address = screen.getByLabelText('Who can reach it');
  await waitFor(() => expect(address.getAttribute('aria-invalid')).toBe('true'));
});

it('offers no user where a refused link may name somebody new', async () => {
  refusals = ['user_removed', 'provisioning_off', 'no_seats', 'unknown_user'].map(
    (code, number) => ({
      number,
      at: 1_795_300_000,
      actor: 'A visitor',
      address: '192.0.2.1',
      reference: null,
      kind: 'refusal',
      code,
      parameters: {},
      title: `Refused: ${code}`,
      detail: null,
      subject: 'marek',
    }),
  );
  render(Gateway, { instance: kept });
  await screen.findByText('Refused: no_seats');
  expect(screen.queryByRole('button', { name: 'Show the user marek' })).toBeNull();
});

it('shows the last refusals, and leads to the user and to Activity', async () => {
  refusals = [
    {
      number: 7,
      at: 1_795_300_000,
      actor: 'A visitor',
      address: '192.0.2.1',
      reference: null,
      kind: 'refusal',
      code: 'user_suspended',
      parameters: {},
      title: 'Refused: suspended',
      detail: null,
      subject: 'marek',
    },
  ];
  render(Gateway, { instance: kept });
  await screen.findByText('Refused: suspended');
  await userEvent.click(screen.getByRole('button', { name: 'Show the user marek' }));
  expect(studio.screen).toBe('users');
  await userEvent.click(screen.getByRole('button', { name: 'Show in Activity' }));
  expect(studio.screen).toBe('activity');
});
