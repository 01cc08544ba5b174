import { compositionFor } from '../compose/composition.svelte';
import type { Inspection } from '../generated/types';
import { studio } from '../lib/state/studio.svelte';
import { personOf, shortNameOf } from './claims';
import { inspectedFor, type Inspected } from './inspected.svelte';

/** ` for ada@yourcompany.com`, for the end of a button's label. */
export function personLabel(inspection: Inspection): string {
  const name = shortNameOf(inspection);
  if (name === '') return '';
  return name.length > 40 ? '' : ` for ${name}`;
}

/** Opens Compose with the person whom a code names. Further metadata stays empty. */
export function composeFor(instanceId: string, inspection: Inspection): void {
  const person = personOf(inspection);
  if (person !== null) {
    const { draft } = compositionFor(instanceId);
    if (person.kind === 'email') {
      draft.chooseEmail(person.email);
    } else if (person.kind === 'id') {
      draft.choose(person.id, person.asText);
    } else {
      draft.mode = 'new';
      draft.userId = person.id;
      draft.userEmail = person.email;
      draft.metadata.name = person.name;
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
