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

/** Whether the target of an event is a field. */
export function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, textarea, select'))
  );
}
