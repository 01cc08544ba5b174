import type { Preview } from '../generated/types';

/** Verdicts that no change of form or users can turn into a sign-in. */
const FINAL = ['link_already_used', 'expired', 'link_revoked', 'link_superseded'];

/** Whether a link that must not be replaced silently works no more. Only the person replaces it. */
export function isSpent({ uses, taken, forecast }: Preview): boolean {
  const isKept = uses !== null || taken;
  return isKept && forecast?.verdict != null && FINAL.includes(forecast.verdict);
}
