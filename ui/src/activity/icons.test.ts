import { expect, it } from 'vitest';

import type { ActivityEntry } from '../generated/types';
import { iconOf } from './icons';

it.each([
  ['sign_in', 'signed_in', 'signIn'],
  ['sign_in', 'provisioned', 'addUser'],
  ['refusal', 'expired', 'refusal'],
  ['act', 'removed', 'removeUser'],
  ['act', 'account_ended', 'clock'],
  ['act', 'link_made', 'link'],
  ['act', 'gateway_started', 'door'],
  ['act', 'api_key_revoked', 'key'],
  ['act', 'seat_limit_set', 'gear'],
] as const)('an entry of the kind %s with the code %s has the icon %s', (kind, code, icon) => {
  expect(iconOf({ kind, code } as ActivityEntry)).toBe(icon);
});
