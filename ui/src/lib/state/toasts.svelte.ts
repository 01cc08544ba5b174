export type Toast = {
  key: number;
  tone: 'plain' | 'warning';
  text: string;
  action: { label: string; run: () => void } | null;
};

const SHORT_MS = 5_000;
/** Time for messages with an action and for warnings. */
const LONG_MS = 8_000;

class Toasts {
  list = $state<Toast[]>([]);
  #nextKey = 0;

  say(text: string, action: Toast['action'] = null): void {
    this.#add({ tone: 'plain', text, action }, action ? LONG_MS : SHORT_MS);
  }

  warn(text: string): void {
    this.#add({ tone: 'warning', text, action: null }, LONG_MS);
  }

  close(key: number): void {
    this.list = this.list.filter((toast) => toast.key !== key);
  }

  #add(toast: Omit<Toast, 'key'>, forMs: number): void {
    const key = this.#nextKey++;
    // Only messages with an action stay beside the newest one.
    this.list = [...this.list.filter(({ action }) => action), { ...toast, key }];
    setTimeout(() => this.close(key), forMs);
  }
}

export const toasts = new Toasts();

/** `Link copied. The clipboard is cleared in a minute.` */
export function copiedMessage(what: string, clearsInSecs: number): string {
  const when = clearsInSecs === 60 ? 'a minute' : `${clearsInSecs} seconds`;
  return `${what} The clipboard is cleared in ${when}.`;
}
