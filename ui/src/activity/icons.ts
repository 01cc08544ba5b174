import type { ActivityEntry } from '../generated/types';
import type { IconName } from '../lib/components/icons';

/** Icons of changes by the first part of their code. Other changes have the icon of settings. */
const CHANGES: [prefix: string, icon: IconName][] = [
  ['provisioned', 'addUser'],
  ['added', 'addUser'],
  ['imported', 'addUser'],
  ['removed', 'removeUser'],
  ['suspended', 'removeUser'],
  ['reactivated', 'addUser'],
  ['account_ended', 'clock'],
  ['account_end_set', 'clock'],
  ['signed_out', 'door'],
  ['profile_changed', 'pencil'],
  ['link_made', 'link'],
  ['link_asked', 'alertCircle'],
  ['link_request', 'link'],
  ['gateway', 'door'],
  ['secret', 'key'],
  ['api_key', 'key'],
];

export function iconOf({ kind, code }: ActivityEntry): IconName {
  const change = CHANGES.find(([prefix]) => code.startsWith(prefix));
  if (change) return change[1];
  if (kind === 'sign_in') return 'signIn';
  return kind === 'refusal' ? 'refusal' : 'gear';
}
