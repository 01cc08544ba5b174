import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { answer, instanceLike, refuse, startLike, type Asked } from '../../tests/answers';
import App from '../app/App.svelte';
import type { KeyStore, Problem, Start } from '../generated/types';
import { studio } from '../lib/state/studio.svelte';

const reason: Problem = {
  code: 'keychain_unreachable',
  message: 'There is no keychain.',
  field: null,
};
let asked: Asked[] = [];
let keyStore: KeyStore;
let start: Start;

async function open(changed: Partial<Start>) {
  start = startLike(changed);
  keyStore = start.key_store;
  asked = answer({
    log_file: () => ({ path: '/data/log' }),
    start: () => ({ ...start, key_store: keyStore }),
    instance_add: (request) => instanceLike({ url: request.url, name: request.name }),
    keys_unlock: ({ passphrase }) =>
      passphrase === 'right'
        ? (keyStore = { kind: 'sealed_file', state: 'ready' })
        : refuse('wrong_passphrase', 'It does not open the file.', 'passphrase'),
    keys_create: () => (keyStore = { kind: 'sealed_file', state: 'ready' }),
    keys_use_sealed_file: () => (keyStore = { kind: 'sealed_file', state: 'new', reason }),
  });
  await studio.start();
  render(App);
}

const names = () => asked.map(({ name }) => name);

beforeEach(() => {
  cleanup();
});

describe('the first start', () => {
  it('connects an instance and goes to its first link', async () => {
    await open({});
    await userEvent.type(
      screen.getByRole('textbox', { name: 'Address' }),
      'https://chat.yourcompany.com',
    );
    await userEvent.type(screen.getByLabelText('JWT secret'), 'a secret');
    await userEvent.click(screen.getByRole('button', { name: 'Connect' }));
    expect(await screen.findByLabelText(/^Person/u)).toBeTruthy();
    expect(asked.find(({ name }) => name === 'instance_add')?.request).toEqual({
      name: '',
      url: 'https://chat.yourcompany.com',
      hosted: 'elsewhere',
      secret: { kind: 'paste', secret: 'a secret', encoding: 'text' },
    });
  });

  it('asks for a passphrase before a secret is kept in a file', async () => {
    await open({ key_store: { kind: 'sealed_file', state: 'new', reason } });
    await userEvent.type(
      screen.getByRole('textbox', { name: 'Address' }),
      'https://chat.yourcompany.com',
    );
    await userEvent.type(screen.getByLabelText('JWT secret'), 'a secret');
    await userEvent.click(screen.getByRole('button', { name: 'Connect' }));
    expect(await screen.findByText('There is no keychain.')).toBeTruthy();
    expect(names()).not.toContain('instance_add');

    await userEvent.type(screen.getByLabelText('Passphrase'), 'short');
    await userEvent.click(screen.getByRole('button', { name: 'Use this passphrase' }));
    expect(screen.getByTestId('error-passphrase').textContent).toContain('8 characters');

    await userEvent.type(screen.getByLabelText('Passphrase'), ' no more');
    await userEvent.type(screen.getByLabelText('Once more'), 'something else');
    await userEvent.click(screen.getByRole('button', { name: 'Use this passphrase' }));
    expect(screen.getByTestId('error-passphrase-again').textContent).toContain('not the same');
    expect(names()).not.toContain('keys_create');

    await userEvent.clear(screen.getByLabelText('Once more'));
    await userEvent.type(screen.getByLabelText('Once more'), 'short no more');
    await userEvent.click(screen.getByRole('button', { name: 'Use this passphrase' }));
    expect(await screen.findByLabelText(/^Person/u)).toBeTruthy();
    expect(names().slice(-2)).toEqual(['keys_create', 'instance_add']);
  });
});

describe('a start with a sealed file', () => {
  it('keeps what was typed where the passphrase is wrong, and goes on where it is right', async () => {
    await open({
      instances: [instanceLike()],
      key_store: { kind: 'sealed_file', state: 'locked' },
    });
    const field = screen.getByLabelText<HTMLInputElement>('Passphrase');
    await userEvent.type(field, 'wrong');
    await userEvent.click(screen.getByRole('button', { name: 'Unlock' }));
    expect((await screen.findByTestId('error-passphrase')).textContent).toBe(
      'It does not open the file.',
    );
    await waitFor(() => expect(document.activeElement).toBe(field));
    expect([field.value, field.selectionStart, field.selectionEnd]).toEqual(['wrong', 0, 5]);
    expect(screen.queryByRole('textbox', { name: 'Email' })).toBeNull();

    await userEvent.keyboard('right{Enter}');
    expect(await screen.findByLabelText(/^Person/u)).toBeTruthy();
  });
});

describe('a start with keys that cannot be had any more', () => {
  const lost = [
    { instance: 'a', name: 'Acme', url: 'https://acme.example/', hosted: 'elsewhere' as const },
    { instance: 'h', name: 'Here', url: 'http://localhost:4711/', hosted: 'here' as const },
  ];

  async function openWith(state: KeyStore) {
    await open({ instances: [instanceLike({ key: null })], key_store: state });
    asked = answer({
      start: () => ({ ...start, key_store: keyStore }),
      keys_sealed: () => lost,
      keys_retry: () => keyStore,
      keys_start_anew: () => (keyStore = { kind: 'sealed_file', state: 'ready' }),
    });
  }

  async function startAnew() {
    await userEvent.click(screen.getByRole('button', { name: 'Start with new keys…' }));
    const secrets = await screen.findByTestId('lost-secrets');
    expect(secrets.textContent).toContain('Acme');
    expect(secrets.textContent).toContain('Paste the one that acme.example shows');
    expect(secrets.textContent).toContain('Here');
    // A long list scrolls, which needs the focus.
    expect(secrets.tabIndex).toBe(0);
    expect(names()).not.toContain('keys_start_anew');
    const dialog = within(screen.getByRole('dialog', { name: 'Start with new keys?' }));
    await userEvent.type(dialog.getByLabelText('Passphrase'), 'nine windmills of tulips');
    await userEvent.type(dialog.getByLabelText('Once more'), 'nine windmills of tulips');
    await userEvent.click(dialog.getByRole('button', { name: 'Start with new keys' }));
    expect(await screen.findByRole('button', { name: 'Add its secret' })).toBeTruthy();
    expect(names()).toContain('keys_start_anew');
    expect(await screen.findByText(/Acme, Here/u)).toBeTruthy();
  }

  it('lists the secrets to give again where the passphrase is forgotten', async () => {
    await openWith({ kind: 'sealed_file', state: 'locked' });
    await startAnew();
  });

  it('says that the file is gone, looks again, and leads on', async () => {
    const gone: Problem = { code: 'keys_missing', message: 'The file /x is gone.', field: null };
    await openWith({ kind: 'sealed_file', state: 'missing', reason: gone });
    expect(screen.getByText('The file /x is gone.')).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    await waitFor(() => expect(names()).toContain('keys_retry'));
    await startAnew();
  });
});

describe('a start with a keychain that does not answer', () => {
  it('says so and gives the keychain up only when that is confirmed', async () => {
    await open({
      instances: [instanceLike()],
      key_store: { kind: 'keychain', state: 'unreachable', reason },
    });
    expect(screen.getByText('There is no keychain.')).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Use a sealed file instead…' }));
    expect(names()).not.toContain('keys_use_sealed_file');
    start.instances = [instanceLike({ key: null })];
    await userEvent.click(screen.getByRole('button', { name: 'Use a sealed file' }));
    expect(await screen.findByRole('button', { name: 'Add its secret' })).toBeTruthy();
  });
});
