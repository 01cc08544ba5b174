import { describe, expect, it } from 'vitest';

import { instanceColour } from './instance-colour';

const ids = ['test', 'production', 'sample', 'alder', 'typingmind', 'a', 'b', 'c'];

describe('the colour of an instance', () => {
  it('differs among eight instances', () => {
    expect(new Set(ids.map((id) => instanceColour(id, ids))).size).toBe(8);
  });

  it('does not depend on the order of the list', () => {
    const reversed = [...ids].reverse();
    expect(ids.map((id) => instanceColour(id, reversed))).toEqual(
      ids.map((id) => instanceColour(id, ids)),
    );
  });

  it('begins anew after eight', () => {
    const many = Array.from({ length: 16 }, (_, at) => `instance-${at}`);
    const colours = many.map((id) => instanceColour(id, many));
    for (const colour of new Set(colours)) {
      expect(colours.filter((one) => one === colour)).toHaveLength(2);
    }
  });
});
