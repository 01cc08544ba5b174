import { composerFor } from '../compose/composer.svelte';
import type { Inspection } from '../generated/types';
import { studio } from '../lib/state/studio.svelte';
import type { KnownFields } from '../lib/user-fields/user-draft.svelte';
import { personOf, shortNameOf } from './claims';
import { inspectedFor, type Inspected } from './inspected.svelte';

/** ` for ada@yourcompany.com`, for the end of a button's label. */
export function personLabel(inspection: Inspection): string {
  const name = shortNameOf(inspection);
  if (name === '') return '';
  return name.length > 40 ? '' : ` for ${name}`;
}

/** Returns the person whom a code names as fields of a new user. */
export function knownFields(inspection: Inspection): KnownFields {
  const person = personOf(inspection);
  switch (person?.kind) {
    case undefined:
      return {};
    case 'email':
      return { email: person.email };
    case 'id':
      return { id: person.id };
    case 'user':
      return { id: person.id, email: person.email, name: person.name };
  }
}

/** Opens Compose for a link that creates the person whom a code names. */
export function composeForNew(instanceId: string, inspection: Inspection): void {
  const { draft } = composerFor(instanceId);
  draft.clearPerson();
  draft.fill(knownFields(inspection));
  draft.mode = 'new';
  studio.open('compose');
}

/** Opens Compose with the person whom a code names. Further metadata stays empty. */
export function composeFor(instanceId: string, inspection: Inspection): void {
  const person = personOf(inspection);
  if (person?.kind === 'user') {
    composeForNew(instanceId, inspection);
    return;
  }
  const { draft } = composerFor(instanceId);
  if (person?.kind === 'email') draft.chooseEmail(person.email);
  else if (person?.kind === 'id') draft.choose(person.id, person.asText);
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
