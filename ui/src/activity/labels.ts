import type { ActivityKind } from '../generated/types';

/** The kinds of entries and all of them, as tabs. */
export const KINDS: { id: ActivityKind | 'all'; label: string; testid: string }[] = [
  { id: 'all', label: 'Everything', testid: 'activity-all' },
  { id: 'sign_in', label: 'Sign-ins', testid: 'activity-sign_in' },
  { id: 'refusal', label: 'Refused', testid: 'activity-refusal' },
  { id: 'act', label: 'Changes', testid: 'activity-act' },
];
