import { expect, it } from 'vitest';

import { formatSentence, escapeHidden, escapeHiddenJson } from './escape';
import { formatDateTime } from './time-format';

it.each([
  ['rlo\u{202e}evil', 'rlo\\u{202e}evil'],
  ['\u{1b}[31m\u{7f}\u{9b}', '\\u{1b}[31m\\u{7f}\\u{9b}'],
  ['a\nb\rc\td', 'a\\nb\\rc\\td'],
  ['\u{2066}\u{2028}\u{200b}\u{feff}\u{e0041}', '\\u{2066}\\u{2028}\\u{200b}\\u{feff}\\u{e0041}'],
])('%j is shown as the command line shows it', (text, shown) => {
  expect(escapeHidden(text)).toBe(shown);
});

it.each(['Jürgen', '日本', 'محمد', '👩', 'e\u{301}', 'a b'])('%s stays as it is', (text) => {
  expect(escapeHidden(text)).toBe(text);
});

it('JSON means the same after its hidden characters are escaped', () => {
  const value = { a: ['\u{202e}\u{e0041}', 'ü\n'] };
  const shown = escapeHiddenJson(JSON.stringify(value, null, 2));
  expect(shown).toContain('\\u202e\\udb40\\udc41');
  expect(JSON.parse(shown)).toEqual(value);
});

it('a formatSentence gives its times in the zone of this computer', () => {
  const at = '2026-11-29T06:26:40Z';
  expect(formatSentence(`The code of a\u{202e}b expired at ${at}.`)).toBe(
    `The code of a\\u{202e}b expired at ${formatDateTime(at)}.`,
  );
});
