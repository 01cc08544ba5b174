import type { ScreenId } from './screens';
import { screens } from './screens';

const mac = /Mac|iPhone|iPad/u.test(navigator.platform);

/** Name of the command key on the keyboard. `COMMAND_ARIA` is its name in ARIA. */
export const COMMAND = mac ? '⌘' : 'Ctrl';
export const COMMAND_ARIA = mac ? 'Meta' : 'Control';

/** Whether a key event is of the command key itself. */
export function isCommandKey(event: KeyboardEvent): boolean {
  return event.key === COMMAND_ARIA;
}

/** Whether a key press asks Compose for the next person. */
export function isNextPersonKey(event: KeyboardEvent): boolean {
  return isCommand(event) && event.key.toLowerCase() === 'n';
}

/** Whether the command key is held, and no other modifier. */
function isCommand(event: KeyboardEvent): boolean {
  const command = mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  return command && !event.altKey && !event.shiftKey && !event.isComposing;
}

export type Shortcut =
  { kind: 'palette' } | { kind: 'copy_link' } | { kind: 'screen'; screen: ScreenId };

/** Returns the shortcut that a key press stands for; null for other keys. */
export function shortcutOf(event: KeyboardEvent): Shortcut | null {
  if (!isCommand(event)) return null;
  if (event.key.toLowerCase() === 'k') return { kind: 'palette' };
  if (event.key === 'Enter') return { kind: 'copy_link' };
  // `code` is the position of the key: on some layouts digits need Shift.
  const digit = /^(?:Digit|Numpad)(?<digit>[1-9])$/u.exec(event.code)?.groups?.['digit'];
  const screen = digit === undefined ? undefined : screens[Number(digit) - 1];
  return screen ? { kind: 'screen', screen: screen.id } : null;
}
