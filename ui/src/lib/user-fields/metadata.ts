import { textOf, tokens } from '../json';

export type MetadataField = [name: string, value: string];

/** Writes the fields as a JSON object in their order. Duplicate names stay. */
export function fieldsToJson(fields: MetadataField[]): string {
  if (fields.length === 0) return '{}';
  const members = fields.map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  return `{\n${members.join(',\n')}\n}`;
}

/** Reads the members of a JSON object as fields, or says why that is impossible. */
export function jsonToFields(
  json: string,
): { fields: MetadataField[] } | { reason: 'unreadable' | 'not_an_object' | 'not_all_texts' } {
  if (json.trim() === '') return { fields: [] };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { reason: 'unreadable' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { reason: 'not_an_object' };
  }
  if (!Object.values(value).every((member) => typeof member === 'string')) {
    return { reason: 'not_all_texts' };
  }
  // Reads the text, because the parsed object has lost order and duplicates.
  const texts = tokens(json).filter(({ kind }) => kind === 'key' || kind === 'string');
  if (!texts.every(({ kind }, index) => kind === (index % 2 === 0 ? 'key' : 'string'))) {
    return { reason: 'not_all_texts' };
  }
  const fields: MetadataField[] = [];
  for (let index = 0; index + 1 < texts.length; index += 2) {
    const name = texts[index];
    const member = texts[index + 1];
    if (name && member) fields.push([textOf(name), textOf(member)]);
  }
  return { fields };
}
