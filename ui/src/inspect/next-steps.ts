import { compositionFor } from '../compose/composition.svelte';
import type { Inspection } from '../generated/types';
import { studio } from '../lib/state/studio.svelte';
import { inspectedFor, type Inspected } from './inspected.svelte';

type Person =
  | { kind: 'email'; email: string }
  | { kind: 'id'; id: string; asText: boolean }
  | { kind: 'user'; id: string; email: string };

/** The person whom a code names, as far as its claims can be read. */
function personOf({ claims_json }: Inspection): Person | null {
  let claims: unknown;
  try {
    claims = JSON.parse(claims_json ?? 'null');
  } catch {
    return null;
  }
  if (!isObject(claims)) return null;
  const { user, id, email } = claims;
  if (isObject(user)) {
    if (typeof user['id'] !== 'string') return null;
    return { kind: 'user', id: user['id'], email: textOr(user['email']) };
  }
  if (typeof id === 'string' || typeof id === 'number') {
    return { kind: 'id', id: String(id), asText: typeof id === 'string' };
  }
  return typeof email === 'string' ? { kind: 'email', email } : null;
}

/** ` for ada@yourcompany.com`, for the end of a button's label. */
export function nameOf(inspection: Inspection): string {
  const person = personOf(inspection);
  if (person === null) return '';
  const name = person.kind === 'email' ? person.email : person.id;
  return name.length > 40 ? '' : ` for ${name}`;
}

/** Opens Compose with the person whom a code names. Further fields of the person stay empty. */
export function composeFor(instanceId: string, inspection: Inspection): void {
  const person = personOf(inspection);
  if (person !== null) {
    const { draft } = compositionFor(instanceId);
    draft.kind = person.kind;
    if (person.kind === 'email') {
      draft.email = person.email;
    } else if (person.kind === 'id') {
      draft.id = person.id;
      draft.idAsText = person.asText;
    } else {
      draft.userId = person.id;
      draft.userEmail = person.email;
    }
  }
  studio.open('compose');
}

/** Inspects the same code at another instance. */
export function openAt(instanceId: string, inspected: Inspected): void {
  const { text } = inspected;
  const code = inspected.shown;
  const other = inspectedFor(instanceId);
  if (text !== '') other.type(text);
  else if (code) other.type(`${code.header}.${code.claims}.${code.signature}`);
  void studio.select(instanceId);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOr(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
