import type { Instance } from '../generated/types';
import { authorityOf } from './address';

/** Whether Latchkey knows the users of an instance: on this computer, or at a gateway on a server. */
export function hasUsers({ hosted }: Pick<Instance, 'hosted'>): boolean {
  return hosted !== 'elsewhere';
}

/** Host of the gateway on a server that decides about an instance; null for other instances. */
export function hostOf({ connection }: Instance): string | null {
  return connection?.host ?? null;
}

/** Says where an instance is: its address, or `on chat.acme.example` for a gateway on a server. */
export function placeOf(instance: Instance): string {
  const host = hostOf(instance);
  return host === null ? authorityOf(instance.url) : `on ${host}`;
}
