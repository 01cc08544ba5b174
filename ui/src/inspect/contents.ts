import type { Inspection } from '../generated/types';
import { formatDateTime } from '../lib/time-format';
import { claimsOf, isSingleUse, personOf } from './claims';

type Part = 'person' | 'account' | 'signature' | 'iat' | 'nbf' | 'exp' | 'aud' | 'uses';

export type ContentRow = {
  part: Part;
  label: string;
  text: string;
  /** Whether the verdict accepts this part; null if the verdict does not tell. */
  accepted: boolean | null;
};

/** The part of a code that a verdict refuses. */
const REFUSED_PART: Record<string, Part[]> = {
  bad_signature: ['signature'],
  unsupported_algorithm: ['signature'],
  wrong_audience: ['aud'],
  expired: ['exp'],
  expiry_required: ['exp'],
  not_yet_valid: ['nbf', 'iat'],
  invalid_payload: ['person'],
  ambiguous_payload: ['person'],
  unknown_user: ['person'],
  user_suspended: ['person'],
  user_ended: ['person'],
  user_removed: ['person'],
  email_in_use: ['person'],
  link_already_used: ['uses'],
};

const TIMES: Record<string, string> = { iat: 'Made', nbf: 'Works from', exp: 'Works until' };

/** Returns the content of a code in rows, for a person who does not know claims. */
export function contentRows(inspection: Inspection): ContentRow[] {
  if (inspection.claims_json === null) return [];
  const { verdict, tone } = inspection.forecast;
  const known = inspection.times.map(({ member }) => member);
  const wanted = verdict === null ? [] : (REFUSED_PART[verdict] ?? []);
  // `not_yet_valid` refuses the start, and where there is none the time of issue.
  const refused = wanted.find((part) => !(part in TIMES) || part === 'exp' || known.includes(part));
  const works = verdict === 'signed_in' || verdict === 'provisioned';

  const row = (part: Part, label: string, text: string): ContentRow => ({
    part,
    label,
    text,
    accepted: part === refused ? false : works && tone !== 'refused' ? true : null,
  });

  const rows = [row('person', 'Person', personText(inspection))];
  for (const { member, at, words } of inspection.times) {
    const label = TIMES[member];
    if (label !== undefined)
      rows.push(row(member as Part, label, `${formatDateTime(at)}, ${words}`));
  }
  if (!known.includes('exp')) {
    const unreadable = claimsOf(inspection)?.['exp'] !== undefined;
    rows.push(row('exp', 'Works until', unreadable ? 'not a time' : 'no end'));
  }
  const account = accountText(inspection);
  if (account !== null) rows.push(row('account', 'Account ends', account));
  rows.push(row('uses', 'Uses', isSingleUse(inspection) ? 'once' : 'not limited by the code'));
  rows.push(row('signature', 'Signature', signatureText(inspection)));
  return rows;
}

/** When the account that the code creates ends; null if the code does not say. */
function accountText(inspection: Inspection): string | null {
  const claims = claimsOf(inspection);
  const [at, days] = [claims?.['account_ends'], claims?.['account_days']];
  if (typeof at === 'number') {
    const date = new Date(at * 1000);
    return Number.isNaN(date.getTime()) ? 'not a time' : formatDateTime(date.toISOString());
  }
  if (typeof days !== 'number') return null;
  return `${days} ${days === 1 ? 'day' : 'days'} after the first sign-in`;
}

function personText(inspection: Inspection): string {
  const person = personOf(inspection);
  if (person === null) return 'nobody that can be read';
  if (person.kind === 'email') return `${person.email}, who must exist already`;
  if (person.kind === 'id') return `the ID ${person.id}, which must exist already`;
  const known = [person.name, person.email, `ID ${person.id}`].filter((text) => text !== '');
  return `${known.join(', ')}; created if new`;
}

function signatureText({ header_json, signature }: Inspection): string {
  if (signature === '') return 'missing';
  try {
    const header: unknown = JSON.parse(header_json ?? 'null');
    const named = typeof header === 'object' && header !== null && 'alg' in header;
    return named && typeof header.alg === 'string' ? header.alg : 'without an algorithm';
  } catch {
    return 'without a readable header';
  }
}
