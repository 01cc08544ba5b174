import { tick } from 'svelte';
import type { Attachment } from 'svelte/attachments';

/** Gives the focus to a field when it appears, unless the person is using a segmented control. */
export const focusFirst: Attachment<HTMLElement> = (element) => {
  // Arrow keys move within a segmented control, which must keep the focus.
  if (document.activeElement instanceof HTMLInputElement) {
    if (document.activeElement.type === 'radio') return;
  }
  element.focus();
};

/** Gives the focus to the first refused field and scrolls its message into view. */
export function focusRefused(within: ParentNode | undefined) {
  const control = within?.querySelector<HTMLElement>('[aria-invalid="true"]');
  control?.focus();
  (control?.closest('[data-field]') ?? control)?.scrollIntoView({ block: 'nearest' });
}

/** Gives the focus back to a button that was disabled while it had the focus. */
export function regainFocus(focused: Element | null) {
  const now = document.activeElement;
  if (!(focused instanceof HTMLButtonElement) || (now !== document.body && now !== focused)) return;
  // It may count as focused although no key reaches it.
  focused.blur();
  focused.focus();
}

/**
 * Returns a function to call after the focused button, and perhaps its row, has disappeared or was disabled.
 * It gives the focus to the same button of the next row, or to the heading.
 */
export function followRow(heading: () => HTMLElement | null | undefined): () => Promise<void> {
  const focused = document.activeElement;
  const row = focused?.closest('li');
  const others = [row?.nextElementSibling, row?.previousElementSibling];
  const testid = focused instanceof HTMLElement ? focused.dataset['testid'] : undefined;
  return async () => {
    await tick();
    if (focused?.isConnected) {
      regainFocus(focused);
      return;
    }
    if (document.activeElement !== document.body) return;
    const next = others.find((other) => other?.isConnected);
    const button = next?.querySelector<HTMLElement>(`[data-testid="${testid ?? ''}"]`);
    (button ?? heading())?.focus();
  };
}

/** Whether the target of an event is a field. */
export function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, textarea, select'))
  );
}
