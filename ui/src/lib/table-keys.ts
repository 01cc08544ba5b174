import { isField } from './components/focus';

type Table = {
  /** The field that searches the table. */
  search: HTMLInputElement | HTMLTextAreaElement | null;
  /** Closes the open panel; null if none is open. */
  close: (() => void) | null;
};

/** Handles the keys of a screen with a table: `/` goes to the search, Escape closes the panel. */
export function onTableKey(event: KeyboardEvent, { search, close }: Table): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isField(event.target) || document.querySelector('dialog[open]')) return;
  if (event.key === '/') {
    event.preventDefault();
    search?.focus();
    search?.select();
  } else if (event.key === 'Escape' && !inMenu(event.target)) {
    close?.();
  }
}

/** Whether the key belongs to an open menu. */
function inMenu(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[popover]') !== null;
}

/** Gives the focus back to a table after its panel was closed. */
export function focusTable(testid: string): void {
  document.querySelector<HTMLElement>(`[data-testid="${testid}"]`)?.focus();
}
