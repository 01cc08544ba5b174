import type { Origin, Status } from '../generated/types';

export const STATUSES: Record<Status, string> = { active: 'Active', suspended: 'Suspended' };

export const ORIGINS: Record<Origin, string> = { link: 'Link', added: 'Added', import: 'Import' };

/** Origin of a user in a sentence. */
export const CAME: Record<Origin, string> = {
  link: 'by link',
  added: 'added by hand',
  import: 'by import',
};

/** Returns `12 of 1,204` for a filtered list and `1,204` for all users. */
export function countLabel(total: number, everybody: number | null, filtered: boolean): string {
  const count = total.toLocaleString('en');
  return filtered && everybody !== null ? `${count} of ${everybody.toLocaleString('en')}` : count;
}
