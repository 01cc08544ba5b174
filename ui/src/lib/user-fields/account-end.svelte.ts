import { localDateTime } from '../time-format';

/** How an account ends. */
export type AccountEnds = 'never' | 'date' | 'days';

/** The end of an account as a person types it. */
export class AccountEndDraft {
  kind = $state<AccountEnds>('never');
  /** Typed date and time in the time zone of this computer. */
  on = $state('');
  /** Typed number of days. */
  after = $state('14');

  constructor(kind: AccountEnds = 'never') {
    this.kind = kind;
  }

  /**
   * The end as a text; null for none. The Rust side refuses an empty text and 0 days, and says what it
   * takes.
   */
  get text(): string | null {
    if (this.kind === 'never') return null;
    if (this.kind === 'date') return this.on;
    const days = this.after.trim();
    return /^\d+$/u.test(days) ? `${days} days` : '0 days';
  }

  /** Fills in an end. */
  take(end: string | null): void {
    const days = /^(\d+) days?$/u.exec(end ?? '')?.[1];
    this.kind = end === null ? 'never' : days === undefined ? 'date' : 'days';
    if (days !== undefined) this.after = days;
    else if (end !== null) this.on = localDateTime(end);
  }
}
