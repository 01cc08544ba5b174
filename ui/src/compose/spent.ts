import type { Preview } from '../generated/types';

/** Verdicts that no change of the form or of the users turns into a sign-in. */
const FINAL = ['link_already_used', 'expired'];

/** Whether the code is of no use any more and has to be replaced, which only the user decides. */
export function isSpent({ single_use, forecast }: Preview): boolean {
  return single_use && forecast.verdict !== null && FINAL.includes(forecast.verdict);
}

/** The detail of a spent code, without the advice that the button after it gives. */
export function spentDetail({ forecast }: Preview): string {
  return forecast.detail.replace(/ Make a new (?:link|one)\.$/u, '');
}
