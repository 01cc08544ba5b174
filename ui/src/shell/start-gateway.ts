import type { Instance } from '../generated/types';
import { addressOf } from '../state/address';
import { gateway } from '../state/gateway.svelte';
import { gatewayDrafts } from '../state/gatewayDrafts.svelte';
import { studio } from '../state/studio.svelte';
import { toasts } from '../state/toasts.svelte';

/**
 * Starts the gateway of an instance as it was started the last time. Opens its settings where
 * something has to be seen or changed first.
 */
export async function startGateway(instance: Instance): Promise<void> {
  const request = gateway.running ? null : gatewayDrafts.requestAtOnce(instance);
  if (request && (await gateway.start(request))) {
    toasts.say(`${instance.name} is open at ${addressOf(gateway.urlOf(instance.id) ?? '')}.`);
  } else {
    studio.open('settings', 'gateway');
  }
}
