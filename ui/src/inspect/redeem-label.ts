import type { Inspection } from '../generated/types';
import { isSingleUse } from './claims';

/** Says what redeeming an inspected code does; null if nobody would be signed in. */
export function redeemLabel(inspection: Inspection): string | null {
  const { verdict, user } = inspection.forecast;
  const who = user ?? 'the user';
  const once = isSingleUse(inspection) ? ' The link works once, and this uses it up.' : '';
  switch (verdict) {
    case 'signed_in':
      return `Signs in ${who} now, as if the link were opened. The sign-in is recorded.${once}`;
    case 'provisioned':
      return `Creates ${who}, who takes a seat.${once}`;
    default:
      return null;
  }
}
