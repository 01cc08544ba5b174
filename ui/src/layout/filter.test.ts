import { expect, it } from 'vitest';

import { filter } from './filter';

const names = [
  'Go to Compose',
  'Go to Settings',
  'Copy link',
  'Copy code',
  'Switch to Your Company',
  'Theme: dark',
];
const answers = (query: string) => filter(names, (name) => name, query);

it('shows everything in its order where nothing is asked', () => {
  expect(answers('')).toEqual(names);
  expect(answers('  ')).toEqual(names);
});

it('puts what begins with the query first', () => {
  expect(answers('co').slice(0, 2)).toEqual(['Copy link', 'Copy code']);
});

it('finds words in any order', () => {
  expect(answers('link copy')).toEqual(['Copy link']);
});

it('finds letters that come in the right order', () => {
  expect(answers('gst')[0]).toBe('Go to Settings');
});

it('finds nothing where a letter is missing', () => {
  expect(answers('xyz')).toEqual([]);
});
