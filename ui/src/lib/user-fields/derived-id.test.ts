import { expect, it } from 'vitest';

import cases from '../../../../src-tauri/core/src/import/derived_id.json';
import { derivedId } from './derived-id';

// The command line and imports derive the same IDs: the cases are those of the test in core.
it.each(cases as [string, string, string][])(
  'the ID for the e-mail “%s” and the name “%s” is “%s”',
  (email, name, expected) => {
    expect(derivedId(email, name)).toBe(expected);
  },
);
