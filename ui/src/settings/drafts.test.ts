import { beforeEach, expect, it } from 'vitest';

import { instanceLike } from '../../tests/answers';
import { changedSettings, settingsDrafts } from './drafts.svelte';

const instance = instanceLike();

beforeEach(() => settingsDrafts.discard(instance.id));

it('show what another administrator has saved meanwhile, beside what was edited', () => {
  settingsDrafts.change(instance, { name: 'Edited' });
  settingsDrafts.change(instance, { policy: { ...instance.policy, provisioning: false } });
  const refreshed = instanceLike({
    parameter: 'code',
    policy: { ...instance.policy, require_expiry: true },
  });
  const shown = settingsDrafts.of(refreshed);
  expect(shown.name).toBe('Edited');
  expect(shown.parameter).toBe('code');
  expect(shown.policy).toMatchObject({ provisioning: false, require_expiry: true });
  expect(changedSettings(refreshed)).toEqual(['Name', 'Create users']);
});

it('keep an edit through a refresh and a further edit', () => {
  settingsDrafts.change(instance, { name: 'Edited' });
  const refreshed = instanceLike({ parameter: 'code' });
  settingsDrafts.change(refreshed, { url: 'https://b.example/' });
  expect(changedSettings(refreshed)).toEqual(['Name', 'Address']);
  expect(settingsDrafts.of(refreshed).parameter).toBe('code');
});
