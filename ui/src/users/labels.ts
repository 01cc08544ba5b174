import type { Origin, Status } from '../generated/types';

export const STATUSES: Record<Status, string> = { active: 'Has a seat', suspended: 'Suspended' };

export const ORIGINS: Record<Origin, string> = {
  link: 'Created by a link',
  added: 'Added by hand',
  import: 'Imported',
};

/** Origin of a user in a sentence. */
export const CAME: Record<Origin, string> = {
  link: 'by a link',
  added: 'by hand',
  import: 'by an import',
};

/** Returns `12 of 1,204` for a filtered list and `1,204` for all users. */
export function countLabel(total: number, everybody: number | null, filtered: boolean): string {
  const count = total.toLocaleString('en');
  return filtered && everybody !== null ? `${count} of ${everybody.toLocaleString('en')}` : count;
}
