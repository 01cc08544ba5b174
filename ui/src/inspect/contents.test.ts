import { describe, expect, it } from 'vitest';

import { inspectionLike } from '../../tests/answers';
import { contentRows } from './contents';

const of = (verdict: string, tone: 'good' | 'refused' = 'refused') =>
  inspectionLike({ forecast: { ...inspectionLike().forecast, verdict, tone } });

describe('the contents of a code', () => {
  it('are all accepted by a sign-in', () => {
    const rows = contentRows(of('signed_in', 'good'));
    expect(rows.map(({ label }) => label)).toEqual(['Person', 'Works until', 'Uses', 'Signature']);
    expect(rows.every(({ accepted }) => accepted)).toBe(true);
    expect(rows.at(-1)?.text).toBe('HS256');
  });

  it.each([
    ['expired', 'Works until'],
    ['bad_signature', 'Signature'],
    ['user_suspended', 'Person'],
    ['link_already_used', 'Uses'],
  ])('say for the verdict %s that “%s” is refused, and leave the rest open', (verdict, label) => {
    const rows = contentRows(of(verdict));
    expect(rows.filter(({ accepted }) => accepted === false).map((row) => row.label)).toEqual([
      label,
    ]);
    expect(rows.some(({ accepted }) => accepted)).toBe(false);
  });

  it('name a person by name, address and ID', () => {
    const claims_json = '{ "user": { "id": "ada", "name": "Ada", "email": "ada@b.co" } }';
    const [person] = contentRows(inspectionLike({ claims_json }));
    expect(person?.text).toBe('Ada, ada@b.co, ID ada; created if new');
  });

  it.each([
    ['"account_days": 1', '1 day after the first sign-in'],
    ['"account_days": 14', '14 days after the first sign-in'],
    ['"account_ends": 1e300', 'not a time'],
  ])('say with %s that the account ends %s', (claim, text) => {
    const claims_json = `{ "user": { "id": "ada" }, ${claim} }`;
    const rows = contentRows(inspectionLike({ claims_json }));
    expect(rows.find(({ part }) => part === 'account')?.text).toBe(text);
  });

  it('are nothing where the claims are not JSON', () => {
    expect(contentRows(inspectionLike({ claims_json: null }))).toEqual([]);
  });
});
