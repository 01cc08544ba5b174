/** A lifetime as the Rust side writes it, and as the list shows it. */
export type Lifetime = { value: string; label: string };

/** Not a lifetime: the choice to write one. */
export const CUSTOM = 'custom';

const presets: Lifetime[] = [
  { value: '1 hour', label: '1 hour' },
  { value: '1 day', label: '1 day' },
  { value: '7 days', label: '7 days' },
  { value: '30 days', label: '30 days' },
  { value: '365 days', label: '1 year' },
  { value: 'never', label: 'never' },
];

/** The lifetimes to choose from, with the instance's own first where it is none of the presets. */
export function lifetimes(standard: string): Lifetime[] {
  return presets.some(({ value }) => value === standard)
    ? presets
    : [{ value: standard, label: standard }, ...presets];
}
