import { asProblem, call } from '../bridge';
import { newPassphrase } from './new-passphrase.svelte';
import { studio } from './studio.svelte';
import { toasts } from './toasts.svelte';

/** Adds the sample instance and goes to it. */
export async function addSample(): Promise<void> {
  if (!(await newPassphrase.ready())) return;
  try {
    studio.enter(await call('sample_instance_add'));
  } catch (thrown) {
    toasts.warn(asProblem(thrown).message);
  }
}
