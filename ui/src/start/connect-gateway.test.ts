import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import {
  answer,
  connectedLike,
  instanceLike,
  outlineLike,
  refuse,
  startLike,
  type Asked,
} from '../../tests/answers';
import App from '../app/App.svelte';
import { forgetInstance } from '../lib/state/changes';
import { studio } from '../lib/state/studio.svelte';

const STRING = 'latchkey://admin.acme.example:8443/acme?fingerprint=AA&pair=0123456789abcdefghijkl';
const instance = connectedLike();

let asked: Asked[];
/** Problem with which the gateway refuses; null if it accepts. */
let refused: [code: string, message: string, field: string | null] | null;
let connect: () => void;
let connecting: Promise<void>;

const requestsOf = (name: string) => asked.filter((one) => one.name === name);

beforeEach(async () => {
  cleanup();
  forgetInstance(instance.id);
  refused = null;
  connecting = Promise.resolve();
  asked = answer({
    start: () => startLike(),
    seats: () => ({ used: 0, limit: null }),
    compose: () => outlineLike(),
    gateway_remote: () => ({
      address: 'https://chat.acme.example/',
      started_at: 1_795_300_000,
      program: 'latchkey serve',
      version: '0.1.0',
      sign_ins_today: 0,
    }),
    connection_parts: ({ text }) =>
      text === STRING
        ? {
            host: 'admin.acme.example:8443',
            instance: 'acme',
            fingerprint: 'AA:BB:CC:DD:EE:FF:00:11',
          }
        : refuse(
            'invalid_setting',
            'The connection string was cut off. Copy all of it.',
            'connection',
          ),
    instance_connect: async () => {
      await connecting;
      if (refused) refuse(...refused);
      return instance;
    },
  });
  await studio.start();
  render(App);
});

async function openDoor() {
  await userEvent.click(screen.getByTestId('door-gateway'));
}

it('has three doors at the first start, and opens one at a time', async () => {
  expect(screen.getByTestId('connect-url')).toBeTruthy();
  expect(screen.getByTestId('door-sample')).toBeTruthy();
  await openDoor();
  expect(document.activeElement).toBe(screen.getByTestId('gateway-text'));
  expect(screen.queryByTestId('connect-url')).toBeNull();
  await userEvent.click(screen.getByTestId('door-application'));
  expect(screen.queryByTestId('gateway-text')).toBeNull();
  expect(screen.getByTestId('connect-url')).toBeTruthy();
});

it('shows the parts of a pasted string, and connects with it', async () => {
  await openDoor();
  await userEvent.click(screen.getByTestId('gateway-text'));
  await userEvent.paste(STRING);
  const parts = await screen.findByTestId('gateway-parts');
  expect(parts.textContent).toContain('admin.acme.example:8443');
  expect(parts.textContent).toContain('AA:BB:CC:DD:EE:F…');
  expect(parts.textContent).toContain('It works once, for 10 minutes');
  await userEvent.type(screen.getByTestId('gateway-name'), 'Acme');
  connecting = new Promise((resolve) => (connect = resolve));
  await userEvent.click(screen.getByTestId('gateway-connect'));
  expect(screen.getByTestId<HTMLButtonElement>('gateway-connect').disabled).toBe(true);
  expect(screen.getByText('Asking admin.acme.example:8443…')).toBeTruthy();
  connect();
  expect(await screen.findByLabelText(/^Person/u)).toBeTruthy();
  expect(requestsOf('instance_connect')[0]?.request).toEqual({
    name: 'Acme',
    by: { kind: 'text', text: STRING },
  });
});

it('says at the field what is wrong with a string, before anything is sent', async () => {
  await openDoor();
  await userEvent.click(screen.getByTestId('gateway-text'));
  await userEvent.paste(STRING.slice(0, 40));
  expect((await screen.findByTestId('error-connection')).textContent).toContain('was cut off');
  expect(screen.queryByTestId('gateway-parts')).toBeNull();
  expect(requestsOf('instance_connect')).toEqual([]);
});

it('connects with an address, a fingerprint and a key', async () => {
  await openDoor();
  await userEvent.click(screen.getByLabelText('Address and key'));
  await userEvent.type(screen.getByTestId('gateway-url'), 'https://admin.acme.example:8443');
  await userEvent.type(screen.getByTestId('gateway-fingerprint-input'), 'AA:BB');
  await userEvent.type(screen.getByTestId('gateway-key'), 'lk_0123');
  await userEvent.click(screen.getByTestId('gateway-connect'));
  await screen.findByLabelText(/^Person/u);
  expect(requestsOf('instance_connect')[0]?.request).toEqual({
    name: '',
    by: {
      kind: 'key',
      url: 'https://admin.acme.example:8443',
      fingerprint: 'AA:BB',
      key: 'lk_0123',
    },
  });
});

it.each([
  ['unreachable', 'The gateway does not answer'],
  ['wrong_certificate', 'The certificate is another one'],
  ['key_refused', 'The gateway refuses it'],
  ['scope_missing', 'The key may not do everything'],
  ['older_gateway', 'The gateway is an older Latchkey'],
])('says in place what is wrong and what to do: %s', async (code, title) => {
  refused = [code, 'Do this to mend it.', null];
  await openDoor();
  await userEvent.click(screen.getByTestId('gateway-text'));
  await userEvent.paste(STRING);
  await userEvent.click(screen.getByTestId('gateway-connect'));
  const said = await screen.findByTestId('gateway-refused');
  expect(said.getAttribute('role')).toBe('alert');
  expect(said.textContent).toContain(title);
  expect(said.textContent).toContain('Do this to mend it.');
  // The fields keep their text for another try.
  expect(screen.getByTestId<HTMLTextAreaElement>('gateway-text').value).toBe(STRING);
});

it('connects a further gateway from the dialog for another instance', async () => {
  studio.enter(instanceLike());
  await userEvent.keyboard('{Control>}k{/Control}');
  await userEvent.click(await screen.findByText('Connect another instance…'));
  await userEvent.click(await screen.findByTestId('connect-gateway'));
  await userEvent.click(screen.getByTestId('gateway-text'));
  await userEvent.paste(STRING);
  await userEvent.click(screen.getByTestId('gateway-connect'));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(studio.current?.id).toBe(instance.id);
  expect(screen.getByTestId('instance-switcher').textContent).toContain(
    'on admin.acme.example:8443',
  );
});
