import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, refuse, type Asked } from '../../tests/answers';
import type { Instance } from '../generated/types';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import ApiKeys from './ApiKeys.svelte';

const KEY = 'lk_abcdefgh-and-more';
let kept: Instance;
let asked: Asked[] = [];

beforeEach(() => {
  cleanup();
  toasts.list = [];
  kept = instanceLike({ id: 'here', hosted: 'here' });
  studio.instances = [kept];
  asked = answer({
    api_key_make: ({ name }) => {
      if (name === 'CRM' && kept.api_keys.length > 0)
        return refuse('invalid_setting', 'There is an API key ‘CRM’ already.', 'name');
      kept = { ...kept, api_keys: [{ id: 'abcdefgh', name, created_at: 1_795_300_000 }] };
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
  expect(asked.at(-1)?.name).toBe('secret_conceal');
  await rerender({ instance: kept });
  expect(screen.getByTestId('api-keys').textContent).toContain('CRM');
  await make();
  await screen.findByText('There is an API key ‘CRM’ already.');
});

it('revokes a key when that is confirmed', async () => {
  kept = { ...kept, api_keys: [{ id: 'abcdefgh', name: 'CRM', created_at: 1_795_300_000 }] };
  render(ApiKeys, { instance: kept });
  await userEvent.click(screen.getByRole('button', { name: /^Revoke /u }));
  expect(asked).toHaveLength(0);
  await userEvent.click(screen.getByRole('button', { name: 'Revoke key' }));
  await waitFor(() => expect(studio.instances[0]?.api_keys).toEqual([]));
  expect(asked.at(-1)?.request).toEqual({ instance: 'here', key: 'abcdefgh' });
});
