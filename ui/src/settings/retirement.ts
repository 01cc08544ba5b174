/** Times for which a replaced signing key still verifies. */
export const OVERLAPS = [
  { value: '1 day', label: 'for 1 day' },
  { value: '7 days', label: 'for 7 days' },
  { value: '30 days', label: 'for 30 days' },
  { value: '90 days', label: 'for 90 days' },
  { value: 'now', label: 'not any more' },
];

/** The time for which a replaced key verifies unless another one is chosen. */
export const USUAL_OVERLAP = '30 days';

/** Returns the retirement date of a key, in Unix seconds. Null if it retires at once. */
export function retiresAt(overlap: string, now: Date): number | null {
  const days = Number.parseInt(overlap, 10);
  return Number.isNaN(days) ? null : Math.floor(now.getTime() / 1000) + days * 86_400;
}
