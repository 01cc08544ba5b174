/**
 * Returns the members of a user's metadata in rows, without the name that is shown elsewhere. Values
 * that are no text are shown as JSON.
 */
export function metadataRows(json: string, shownName: string | null) {
  const members: unknown = JSON.parse(json);
  if (typeof members !== 'object' || members === null) return [];
  return Object.entries(members)
    .filter(([name, value]) => name !== 'name' || value !== shownName)
    .map(([name, value]: [string, unknown]) => ({
      name,
      value: typeof value === 'string' ? value : JSON.stringify(value),
    }));
}
