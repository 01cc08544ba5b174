import type { Instance } from '../../generated/types';
import { addressOf } from '../address';
import { Form, refusal } from '../form.svelte';
import { onForget } from './changes';
import { gatewayDrafts } from './gateway-drafts.svelte';
import { gateway } from './gateway.svelte';
import { studio } from './studio.svelte';
import { toasts } from './toasts.svelte';

/** The forms and their instances, by the ID of the instance. */
type Known = { form: Form; instance: Instance };
const forms = new Map<string, Known>();

onForget((id) => forms.delete(id));

/** Returns the form that starts an instance's gateway. Its screen shows what was refused, also to the rail. */
export function startForm(instance: Instance): Form {
  const known = forms.get(instance.id);
  if (known) {
    known.instance = instance;
    return known.form;
  }
  const made: Known = { form: new Form(() => start(made.instance)), instance };
  forms.set(instance.id, made);
  return made.form;
}

async function start(instance: Instance): Promise<void> {
  const request = gatewayDrafts.request(instance);
  if (!request) throw refusal('port', 'Enter a number from 1 to 65535.');
  await gateway.start(request);
}

/**
 * Starts the gateway of an instance with the address and port of its last start. Opens its screen if
 * the administrator has to see or change something first.
 */
export async function startGateway(instance: Instance): Promise<void> {
  const canStart = !gateway.running && gatewayDrafts.requestAtOnce(instance) !== null;
  if (canStart && (await startForm(instance).submit())) {
    toasts.say(`${instance.name} is open at ${addressOf(gateway.urlOf(instance.id) ?? '')}.`);
  } else {
    studio.open('gateway');
  }
}
