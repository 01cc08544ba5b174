import { describe, expect, it } from 'vitest';

import { fieldsToJson, jsonToFields, type MetadataField } from './metadata';

describe('metadata between fields and JSON', () => {
  it.each<[string, MetadataField[]]>([
    ['nothing', []],
    [
      'texts',
      [
        ['team', 'Research'],
        ['locale', 'en-GB'],
      ],
    ],
    [
      'an order that objects do not keep',
      [
        ['b', '1'],
        ['2', 'x'],
        ['1', 'y'],
      ],
    ],
    [
      'a name that stands twice',
      [
        ['team', 'a'],
        ['team', 'b'],
      ],
    ],
    [
      'quotes, line breaks and other scripts',
      [
        ['"', 'a\n\\"b'],
        ['名前', 'José 🙂'],
      ],
    ],
    [
      'names that objects have already',
      [
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ],
    ],
    ['a value that looks like a member', [['a', '"b": {}']]],
    ['an empty name and value', [['', '']]],
  ])('comes back the same: %s', (_, fields) => {
    expect(jsonToFields(fieldsToJson(fields))).toEqual({ fields });
  });

  it('is an empty list where the text is blank', () => {
    expect(jsonToFields(' \n')).toEqual({ fields: [] });
  });

  it.each([
    ['{"a": 1}', 'not_all_texts'],
    ['{"a": {"b": "c"}}', 'not_all_texts'],
    ['{"a": null, "b": "c"}', 'not_all_texts'],
    ['{"a": 1, "a": "b"}', 'not_all_texts'],
    ['["a"]', 'not_an_object'],
    ['"a"', 'not_an_object'],
    ['null', 'not_an_object'],
    ['{"a": "b"', 'unreadable'],
    ['team: Research', 'unreadable'],
  ])('stays JSON where fields would lose something: %s', (json, reason) => {
    expect(jsonToFields(json)).toEqual({ reason });
  });
});
