import { expect, it } from 'vitest';

import { initials } from './initials';

it.each([
  ['Ada Okafor', 'AO'],
  ['Fatima Zahra Benali', 'FB'],
  ['ada.okafor@alder.example', 'AO'],
  ['desk-1', 'D1'],
  ['élodie', 'É'],
  ['1234', '1'],
  ['', ''],
  ['@', ''],
])('the initials of “%s” are “%s”', (name, expected) => {
  expect(initials(name)).toBe(expected);
});
