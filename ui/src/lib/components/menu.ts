/** Entries of a menu that can be chosen. */
export function itemsOf(menu: HTMLElement | undefined): HTMLElement[] {
  const items = menu?.querySelectorAll<HTMLElement>('[role^="menuitem"]:not(:disabled)');
  return items ? [...items] : [];
}

/** Moves the focus in an open menu by arrow keys, Home and End. Tab closes the menu. */
export function moveInMenu(event: KeyboardEvent, menu: HTMLElement | undefined): void {
  const all = itemsOf(menu);
  const at = all.findIndex((item) => item === document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (event.key === 'Tab') menu?.hidePopover();
  if (to === undefined) return;
  event.preventDefault();
  all.at(to % all.length)?.focus();
}
