import type { Inspection } from '../generated/types';

/** Says what redeeming an inspected code does; null if nobody would be signed in. */
export function redeemLabel({ forecast, claims_json }: Inspection): string | null {
  const who = forecast.user ?? 'the user';
  const once = isSingleUse(claims_json) ? ' The link works once, and this uses it up.' : '';
  switch (forecast.verdict) {
    case 'signed_in':
      return `Signs in ${who} here and now, as if the link were opened: the sign-in is recorded.${once}`;
    case 'provisioned':
      return `Creates ${who}, who takes a seat.${once}`;
    default:
      return null;
  }
}

function isSingleUse(claimsJson: string | null): boolean {
  try {
    const claims: unknown = JSON.parse(claimsJson ?? 'null');
    return (
      typeof claims === 'object' &&
      claims !== null &&
      'single_use' in claims &&
      claims.single_use === true
    );
  } catch {
    return false;
  }
}
