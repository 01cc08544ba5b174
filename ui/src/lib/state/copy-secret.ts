import { asProblem, call } from '../bridge';
import { copiedMessage, toasts } from './toasts.svelte';

/** Copies the secret or the API key that is shown. Returns whether it was copied. */
export async function copySecret(instance: string, said: string): Promise<boolean> {
  try {
    const { clears_in_secs } = await call('secret_copy', { instance });
    toasts.say(copiedMessage(said, clears_in_secs));
    return true;
  } catch (thrown) {
    toasts.warn(asProblem(thrown).message);
    return false;
  }
}
