import type { Preview } from '../generated/types';

/** Verdicts that no change of form or users can turn into a sign-in. */
const FINAL = ['link_already_used', 'expired'];

/** Whether a single-use code is used up or expired. Only the person replaces it. */
export function isSpent({ single_use, forecast }: Preview): boolean {
  return single_use && forecast?.verdict != null && FINAL.includes(forecast.verdict);
}
