/** A lifetime for the Rust side and its label in the list. */
export type Lifetime = { value: string; label: string };

/** Value of the entry that opens a field for another lifetime. */
export const CUSTOM = 'custom';

const presets: Lifetime[] = [
  { value: '1 hour', label: '1 hour' },
  { value: '1 day', label: '1 day' },
  { value: '7 days', label: '7 days' },
  { value: '30 days', label: '30 days' },
  { value: '365 days', label: '1 year' },
  { value: 'never', label: 'no limit' },
];

/** Returns the choices. The instance's default comes first if it is not among the presets. */
export function lifetimes(standard: string): Lifetime[] {
  return presets.some(({ value }) => value === standard)
    ? presets
    : [{ value: standard, label: standard }, ...presets];
}
