/** Returns the members of a user's metadata in rows. Values that are no text are shown as JSON. */
export function metadataRows(json: string): { name: string; value: string }[] {
  const members: unknown = JSON.parse(json);
  if (typeof members !== 'object' || members === null) return [];
  return Object.entries(members).map(([name, value]: [string, unknown]) => ({
    name,
    value: typeof value === 'string' ? value : JSON.stringify(value),
  }));
}
