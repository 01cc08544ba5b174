import { expect, it } from 'vitest';

import { derivedId } from './derived-id';

it.each([
  ['ada.okafor@alder.example', 'Ada', 'ada.okafor'],
  ['Ada.Okafor@alder.example', '', 'ada.okafor'],
  ['', 'Ada Okafor', 'ada.okafor'],
  ['', '  Marek Novotný ', 'marek.novotny'],
  // An address that is still being typed would change the ID with each letter.
  ['ada', '', ''],
  ['@b.co', 'Ada', 'ada'],
  ['', '', ''],
])('the ID for the e-mail “%s” and the name “%s” is “%s”', (email, name, expected) => {
  expect(derivedId(email, name)).toBe(expected);
});
