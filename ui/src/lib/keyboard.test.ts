import { expect, it } from 'vitest';

import { shortcutOf } from './keyboard';

const press = (init: KeyboardEventInit) => shortcutOf(new KeyboardEvent('keydown', init));

it('opens the palette, copies the link and changes the screen', () => {
  expect(press({ key: 'k', ctrlKey: true })).toEqual({ kind: 'palette' });
  expect(press({ key: 'Enter', ctrlKey: true })).toEqual({ kind: 'copy_link' });
  expect(press({ key: '6', code: 'Digit6', ctrlKey: true })).toEqual({
    kind: 'screen',
    screen: 'settings',
  });
});

it('finds the digits where they are behind Shift', () => {
  expect(press({ key: '&', code: 'Digit1', ctrlKey: true })).toEqual({
    kind: 'screen',
    screen: 'compose',
  });
});

it.each<[string, KeyboardEventInit]>([
  ['without the command key', { key: 'k' }],
  ['with Shift', { key: 'K', ctrlKey: true, shiftKey: true }],
  ['as AltGr, which is Ctrl and Alt', { key: '2', code: 'Digit2', ctrlKey: true, altKey: true }],
  ['for a screen that is not there', { key: '9', code: 'Digit9', ctrlKey: true }],
  ['while a character is put together', { key: 'Enter', ctrlKey: true, isComposing: true }],
])('leaves a key alone: %s', (_, init) => {
  expect(press(init)).toBeNull();
});
