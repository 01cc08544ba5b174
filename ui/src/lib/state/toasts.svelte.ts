import type { CopiedLink } from '../../generated/types';

export type ToastAction = { label: string; run: () => void };

export type Toast = {
  key: number;
  tone: 'plain' | 'warning';
  text: string;
  actions: ToastAction[];
  /** Name of a message that stays until it is closed; null for others. */
  topic: string | null;
};

const SHORT_MS = 5_000;
/** Time for messages with an action and for warnings. */
const LONG_MS = 8_000;

class Toasts {
  list = $state<Toast[]>([]);
  #nextKey = 0;

  say(text: string, action: ToastAction | null = null): void {
    const actions = action ? [action] : [];
    this.#add({ tone: 'plain', text, actions, topic: null }, action ? LONG_MS : SHORT_MS);
  }

  warn(text: string): void {
    this.#add({ tone: 'warning', text, actions: [], topic: null }, LONG_MS);
  }

  /** Shows a message until it is closed. It replaces an earlier one on the same topic. */
  stay(topic: string, text: string, actions: ToastAction[]): void {
    this.list = this.list.filter((toast) => toast.topic !== topic);
    this.#add({ tone: 'warning', text, actions, topic }, null);
  }

  close(key: number): void {
    this.list = this.list.filter((toast) => toast.key !== key);
  }

  #add(toast: Omit<Toast, 'key'>, forMs: number | null): void {
    const key = this.#nextKey++;
    // Only messages with an action stay beside the newest one.
    this.list = [...this.list.filter(({ actions }) => actions.length > 0), { ...toast, key }];
    if (forMs !== null) setTimeout(() => this.close(key), forMs);
  }
}

export const toasts = new Toasts();

/** Says that a part of a link was copied, with the warning about the link. */
export function sayCopied(what: string, copied: CopiedLink): void {
  const said = copiedMessage(what, copied.clears_in_secs);
  if (copied.warning === null) toasts.say(said);
  else toasts.warn(`${said} ${copied.warning.message}`);
}

/** `Link copied. The clipboard is cleared in a minute.` */
export function copiedMessage(what: string, clearsInSecs: number): string {
  const when = clearsInSecs === 60 ? 'a minute' : `${clearsInSecs} seconds`;
  return `${what} The clipboard is cleared in ${when}.`;
}
