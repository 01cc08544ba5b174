import { expect, it } from 'vitest';

import { claimLines } from './claims';

const json = `{
  "user": {
    "id": "ada-1815",
    "exp": 1
  },
  "iat": 1795300000,
  "exp": 1795904800
}`;
const times = [
  { member: 'iat', at: '2026-11-22T06:26:40Z', words: 'now' },
  { member: 'exp', at: '2026-11-29T06:26:40Z', words: 'in 7 days' },
];

it('puts a time beside the line of its claim', () => {
  const told = claimLines(json, times).map(({ time }) => time?.words ?? '');
  expect(told).toEqual(['', '', '', '', '', 'now', 'in 7 days', '']);
});

it('puts no time beside metadata of the same name', () => {
  expect(claimLines(json, times)[3]?.time).toBeNull();
});

it('keeps the text as it is', () => {
  const text = claimLines(json, times)
    .map((line) => line.tokens.map((token) => token.text).join(''))
    .join('\n');
  expect(text).toBe(json);
});

it('tells keys from strings and numbers', () => {
  const kinds = claimLines('{\n  "a:": "b: {",\n  "c": [-1.5, true]\n}', [])
    .flatMap((line) => line.tokens)
    .filter(({ kind }) => kind !== 'space' && kind !== 'mark')
    .map(({ kind, text }) => `${kind} ${text}`);
  expect(kinds).toEqual(['key "a:"', 'string "b: {"', 'key "c"', 'number -1.5', 'word true']);
});
