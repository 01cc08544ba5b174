import type { Instance } from '../../generated/types';
import { addressOf } from '../address';
import { gatewayDrafts } from './gateway-drafts.svelte';
import { gateway } from './gateway.svelte';
import { studio } from './studio.svelte';
import { toasts } from './toasts.svelte';

/**
 * Starts the gateway of an instance with the address and port of its last start. Opens its settings
 * if the administrator has to see or change something first.
 */
export async function startGateway(instance: Instance): Promise<void> {
  const request = gateway.running ? null : gatewayDrafts.requestAtOnce(instance);
  if (request && (await gateway.start(request))) {
    toasts.say(`${instance.name} is open at ${addressOf(gateway.urlOf(instance.id) ?? '')}.`);
  } else {
    studio.open('settings', 'gateway');
  }
}
