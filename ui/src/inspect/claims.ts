import type { Inspection } from '../generated/types';

export type Person =
  | { kind: 'email'; email: string }
  | { kind: 'id'; id: string; asText: boolean }
  | { kind: 'user'; id: string; email: string; name: string };

/** The claims of a code; null if they are not a JSON object. */
export function claimsOf({ claims_json }: Inspection): Record<string, unknown> | null {
  try {
    const claims: unknown = JSON.parse(claims_json ?? 'null');
    return isObject(claims) ? claims : null;
  } catch {
    return null;
  }
}

/** The person whom a code names; null if the claims name nobody. */
export function personOf(inspection: Inspection): Person | null {
  const claims = claimsOf(inspection);
  if (claims === null) return null;
  const { user, id, email } = claims;
  if (isObject(user)) {
    if (typeof user['id'] !== 'string') return null;
    const [address, name] = [textOr(user['email']), textOr(user['name']).trim()];
    return { kind: 'user', id: user['id'], email: address, name };
  }
  if (typeof id === 'string' || typeof id === 'number') {
    return { kind: 'id', id: String(id), asText: typeof id === 'string' };
  }
  return typeof email === 'string' ? { kind: 'email', email } : null;
}

/** The shortest text that names a person: a name, else the ID or the address. */
export function shortNameOf(inspection: Inspection): string {
  const person = personOf(inspection);
  if (person === null) return '';
  if (person.kind === 'email') return person.email;
  return person.kind === 'user' && person.name !== '' ? person.name : person.id;
}

/** Whether the first sign-in uses the link up. */
export function isSingleUse(inspection: Inspection): boolean {
  return claimsOf(inspection)?.['single_use'] === true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOr(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
