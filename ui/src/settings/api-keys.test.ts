import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import {
  answer,
  connectedLike,
  instanceLike,
  lastAsked,
  refuse,
  type Asked,
} from '../../tests/answers';
import type { ApiKey, Instance } from '../generated/types';
import { lost } from '../lib/state/lost.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import ApiKeys from './ApiKeys.svelte';

const KEY = 'lk_abcdefgh-and-more';
let kept: Instance;

function keyLike(changed: Partial<ApiKey>): ApiKey {
  return {
    id: 'abcdefgh',
    name: 'CRM',
    created_at: 1_795_300_000,
    scopes: ['links', 'users'],
    expires_at: null,
    last_used_at: null,
    ...changed,
  };
}

let asked: Asked[] = [];

beforeEach(() => {
  cleanup();
  toasts.list = [];
  lost.delete('acme');
  kept = instanceLike({ id: 'here', hosted: 'here' });
  studio.instances = [kept];
  asked = answer({
    api_key_make: ({ name, scopes }) => {
      if (scopes.length === 0) return refuse('invalid_setting', 'The key has no scope.', 'scopes');
      if (name === 'CRM' && kept.api_keys.length > 0)
        return refuse('invalid_setting', 'There is an API key ‘CRM’ already.', 'name');
      kept = { ...kept, api_keys: [keyLike({ name })] };
      return { key: KEY, instance: kept };
    },
    api_key_revoke: () => (kept = { ...kept, api_keys: [] }),
    secret_copy: () => ({ clears_in_secs: 60 }),
    secret_conceal: () => kept,
  });
});

async function make(): Promise<void> {
  await userEvent.type(screen.getByRole('textbox', { name: 'New key' }), 'CRM');
  await userEvent.click(screen.getByRole('button', { name: 'Make a key' }));
}

it('shows a key once, and lists it by its name afterwards', async () => {
  const { rerender } = render(ApiKeys, { instance: kept });
  expect(screen.getByTestId('api-state').textContent).toContain('off');
  await make();
  expect((await screen.findByTestId('api-key-value')).textContent).toBe(KEY);
  await userEvent.click(screen.getByRole('button', { name: 'Copy' }));
  await waitFor(() => expect(toasts.list.at(-1)?.text).toContain('API key copied'));
  await userEvent.click(screen.getByRole('button', { name: 'Done' }));
  expect(screen.queryByTestId('api-key-value')).toBeNull();
  expect(lastAsked(asked, 'secret_conceal')).toBeDefined();
  await rerender({ instance: kept });
  expect(screen.getByTestId('api-keys').textContent).toContain('CRM');
  await make();
  await screen.findByText('There is an API key ‘CRM’ already.');
});

it('revokes a key when that is confirmed', async () => {
  kept = { ...kept, api_keys: [keyLike({})] };
  render(ApiKeys, { instance: kept });
  await userEvent.click(screen.getByRole('button', { name: /^Revoke /u }));
  expect(asked).toHaveLength(0);
  await userEvent.click(screen.getByRole('button', { name: 'Revoke key' }));
  await waitFor(() => expect(studio.instances[0]?.api_keys).toEqual([]));
  expect(lastAsked(asked, 'api_key_revoke')).toEqual({ instance: 'here', key: 'abcdefgh' });
});

it('marks the key of this computer, and warns before it is revoked', async () => {
  const own = keyLike({ id: 'thiskey1', name: 'studio' });
  kept = connectedLike({ api_keys: [keyLike({}), own] });
  studio.instances = [kept];
  let revoked = false;
  answer({
    // The settings cannot be read any more.
    api_key_revoke: () => {
      revoked = true;
      return { ...kept, key: null, api_keys: [] };
    },
    gateway_remote: () => refuse('key_refused', 'The key is refused.'),
  });
  render(ApiKeys, { instance: kept });
  const [other, mine] = screen.getAllByRole('listitem');
  expect(other?.textContent).not.toContain('this computer');
  expect(mine?.textContent).toContain('studio, this computer');
  await userEvent.click(screen.getByRole('button', { name: 'Revoke studio…' }));
  const dialog = await screen.findByRole('dialog');
  expect(dialog.textContent).toContain('This computer uses this key');
  expect(dialog.textContent).toContain('admin.acme.example:8443');
  await userEvent.click(screen.getByRole('button', { name: 'Revoke key' }));
  await waitFor(() => expect(lost.of(kept.id)?.cause).toBe('key_refused'));
  expect(revoked).toBe(true);
  expect(screen.queryByRole('dialog')).toBeNull();
  expect(toasts.list.map(({ text }) => text)).toEqual([
    'studio is revoked. This computer needs a new key.',
  ]);
  expect(studio.instances[0]?.key).toEqual(kept.key);
  expect(studio.instances[0]?.api_keys.map(({ name }) => name)).toEqual(['CRM']);
});

it('gives the focus back to the button after a refusal', async () => {
  kept = { ...kept, api_keys: [keyLike({})] };
  answer({
    api_key_revoke: () => {
      // A browser takes the focus from a button that is disabled.
      (document.activeElement as HTMLElement).blur();
      return refuse('storage', 'The disk is full.');
    },
  });
  render(ApiKeys, { instance: kept });
  await userEvent.click(screen.getByRole('button', { name: /^Revoke /u }));
  const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Revoke key' });
  button.focus();
  await userEvent.keyboard('{Enter}');
  await screen.findByText('The disk is full.');
  await waitFor(() => expect(document.activeElement).toBe(button));
  expect(button.disabled).toBe(false);
});

it('makes a key with the chosen scopes and expiry', async () => {
  render(ApiKeys, { instance: kept });
  const links = screen.getByRole('switch', { name: 'Makes and inspects login links' });
  const users = screen.getByRole('combobox', { name: 'Users' });
  const expires = screen.getByRole('combobox', { name: 'Expires' });
  const requests = () =>
    asked.filter(({ name }) => name === 'api_key_make').map((one) => one.request);
  await userEvent.click(links);
  await userEvent.selectOptions(users, 'no access');
  await make();
  await screen.findByText('The key has no scope.');
  expect(users.getAttribute('aria-invalid')).toBe('true');
  await userEvent.selectOptions(users, 'read');
  await userEvent.selectOptions(expires, 'after 90 days');
  await userEvent.click(screen.getByRole('switch', { name: 'Reads the activity' }));
  await userEvent.click(screen.getByRole('button', { name: 'Make a key' }));
  await screen.findByTestId('api-key-value');
  expect(requests()).toEqual([
    { instance: 'here', name: 'CRM', scopes: [], expires_in: 'never' },
    { instance: 'here', name: 'CRM', scopes: ['users:read', 'activity'], expires_in: '90 days' },
  ]);
});

it('offers the scopes of earlier keys unless others are chosen', async () => {
  render(ApiKeys, { instance: kept });
  await make();
  await screen.findByTestId('api-key-value');
  expect(asked[0]?.request).toEqual({
    instance: 'here',
    name: 'CRM',
    scopes: ['links', 'users'],
    expires_in: 'never',
  });
});

it('says what a key may do, when it was last used and when it expires', () => {
  const days = (count: number) => Math.floor(Date.now() / 1000) + count * 86_400;
  kept = {
    ...kept,
    api_keys: [
      keyLike({ id: 'aaaaaaaa', name: 'Old', scopes: ['users:read'], expires_at: days(-2) }),
      keyLike({ id: 'bbbbbbbb', name: 'New', scopes: ['links'], expires_at: days(2) }),
      keyLike({ id: 'cccccccc', name: 'All', last_used_at: days(-1) }),
    ],
  };
  render(ApiKeys, { instance: kept });
  const rows = screen.getAllByRole('listitem').map((row) => row.textContent);
  expect(rows[0]).toMatch(/reads users, expired on \d/u);
  expect(rows[1]).toMatch(/makes login links, expires on \d/u);
  expect(rows[2]).toContain('makes login links, reads and changes users');
  expect(rows[2]).not.toContain('expire');
  expect(rows[1]).toContain('never used');
  expect(rows[2]).toMatch(/last used on \d/u);
});
