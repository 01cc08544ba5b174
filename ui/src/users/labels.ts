import type { ImportRow, ImportState, Origin, Status, User } from '../generated/types';
import { escapeHidden } from '../lib/escape';
import { formatDayIn, formatMoment } from '../lib/time-format';

export const STATUSES: Record<Status, string> = {
  active: 'Has a seat',
  suspended: 'Suspended',
  ended: 'Ended',
};

/** Describes the end of an account that has one: `until Fri 27 Nov`, `since today 09:00`. */
export function endLabel({ ends_at, status }: Pick<User, 'ends_at' | 'status'>): string {
  if (ends_at === null) return '';
  return `${status === 'ended' ? 'since' : 'until'} ${formatDayIn(ends_at)}`;
}

/** Describes the account of a user in a panel. */
export function accountLabel({ ends_at, status }: Pick<User, 'ends_at' | 'status'>): string {
  if (ends_at === null) return 'The account has no end.';
  return `Account ${status === 'ended' ? 'ended' : 'ends'} ${formatMoment(ends_at)}`;
}

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

/** Effect of an import on a row. */
export function effectLabel({ action, fields, again, suspended }: ImportRow): string {
  const also = suspended ? ', stays suspended' : '';
  switch (action) {
    case 'add':
      return again ? 'Added again' : 'Takes a seat';
    case 'change':
      return `Changes ${named(fields)}${also}`;
    case 'keep':
      return `Exists, other ${named(fields)}${also}`;
    case 'same':
      return `The same${also}`;
    case 'problem':
      return 'To correct';
  }
}

/** Returns up to two names of fields, and how many more there are. */
function named(fields: string[]): string {
  const shown = fields.slice(0, 2).map((field) => (field === 'email' ? 'e-mail' : field));
  const more = fields.length - shown.length;
  return escapeHidden(shown.join(', ')) + (more > 0 ? ` and ${more} more` : '');
}

function users(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'user' : 'users'}`;
}

/** Returns the label of the button that begins an import. */
export function importAction({ counts: { add, change } }: ImportState): string {
  if (add === 0 && change === 0) return 'Nothing to import';
  if (change === 0) return `Add ${users(add)}`;
  if (add === 0) return `Change ${users(change)}`;
  return `Add ${add.toLocaleString('en')}, change ${change.toLocaleString('en')}`;
}

/** Returns what an import has done so far. */
export function importResult({ added, changed }: ImportState): string {
  const said = [added > 0 || changed === 0 ? `${users(added)} added` : ''];
  if (changed > 0) said.push(`${users(changed)} changed`);
  return `${said.filter((part) => part !== '').join(', ')}.`;
}
