import type { Attachment } from 'svelte/attachments';

/** Puts the focus into a field when it appears, unless somebody is choosing with the keyboard. */
export const focusFirst: Attachment<HTMLElement> = (element) => {
  // Arrow keys walk through a segmented control; taking the focus away would end the walk.
  if (document.activeElement instanceof HTMLInputElement) {
    if (document.activeElement.type === 'radio') return;
  }
  element.focus();
};

/** Puts the focus into the first field that was refused, and scrolls its message into view. */
export function focusRefused(within: ParentNode | undefined) {
  const control = within?.querySelector<HTMLElement>('[aria-invalid="true"]');
  control?.focus();
  (control?.closest('[data-field]') ?? control)?.scrollIntoView({ block: 'nearest' });
}

/** Whether a key or a paste belongs to a field. */
export function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, textarea, select'))
  );
}
