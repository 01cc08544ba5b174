import type { ActivityEntry } from '../generated/types';

/** Number of plain sign-ins in a row from which on they are folded into one row. */
const FOLDED_FROM = 3;

export type Row =
  | { kind: 'entry'; entry: ActivityEntry }
  /** Plain sign-ins that follow each other, newest first. */
  | { kind: 'sign_ins'; entries: ActivityEntry[] };

export type Day = {
  /** Start of the day in Unix milliseconds. */
  start: number;
  signIns: number;
  refusals: number;
  rows: Row[];
};

/** Groups entries by day. With `fold`, runs of plain sign-ins become one row. */
export function days(entries: ActivityEntry[], fold: boolean): Day[] {
  const all: Day[] = [];
  let run: ActivityEntry[] = [];

  const endRun = () => {
    const rows = all.at(-1)?.rows;
    if (fold && run.length >= FOLDED_FROM) rows?.push({ kind: 'sign_ins', entries: run });
    else rows?.push(...run.map((entry) => ({ kind: 'entry', entry }) as const));
    run = [];
  };

  for (const entry of entries) {
    const start = new Date(entry.at * 1000).setHours(0, 0, 0, 0);
    if (all.at(-1)?.start !== start) {
      endRun();
      all.push({ start, signIns: 0, refusals: 0, rows: [] });
    }
    const day = all.at(-1);
    if (!day) continue;
    if (entry.kind === 'sign_in') day.signIns += 1;
    if (entry.kind === 'refusal') day.refusals += 1;
    if (isPlainSignIn(entry)) {
      run.push(entry);
    } else {
      endRun();
      day.rows.push({ kind: 'entry', entry });
    }
  }
  endRun();
  return all;
}

/** Whether an entry is a sign-in of somebody who was known. */
function isPlainSignIn({ kind, code }: ActivityEntry): boolean {
  return kind === 'sign_in' && code !== 'provisioned';
}

/** `63 sign-ins, 16 refused`; an empty text for a day with neither. */
export function totals({ signIns, refusals }: Day): string {
  const all = [];
  if (signIns > 0)
    all.push(`${signIns.toLocaleString('en')} ${signIns === 1 ? 'sign-in' : 'sign-ins'}`);
  if (refusals > 0) all.push(`${refusals.toLocaleString('en')} refused`);
  return all.join(', ');
}

/** `ada, bob, cleo and 6 others`, each person once. */
export function people(entries: ActivityEntry[]): string {
  const names = [...new Set(entries.map(({ subject }) => subject ?? 'somebody'))];
  const shown = names.slice(0, 3);
  const left = names.length - shown.length;
  if (left > 0) return `${shown.join(', ')} and ${left} ${left === 1 ? 'other' : 'others'}`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
