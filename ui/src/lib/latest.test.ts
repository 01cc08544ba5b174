import { describe, expect, it } from 'vitest';

import { Latest } from './latest';

/** Work that ends when the test says so. */
function bench() {
  const asked: string[] = [];
  const shown: string[] = [];
  const ends: { resolve: (output: string) => void; reject: (thrown: Error) => void }[] = [];
  const latest = new Latest<string, string>(
    (input) => {
      asked.push(input);
      return new Promise((resolve, reject) => ends.push({ resolve, reject }));
    },
    (output) => shown.push(output),
    (thrown) => shown.push(`failed: ${(thrown as Error).message}`),
  );
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  return { asked, shown, ends, latest, turn };
}

describe('work of which only the latest counts', () => {
  it('has one piece under way and keeps only the newest of those that wait', async () => {
    const { asked, ends, latest, turn } = bench();
    for (const input of ['a', 'ad', 'ada', 'ada@']) latest.ask(input);
    expect(asked).toEqual(['a']);
    ends[0]?.resolve('A');
    await turn();
    expect(asked).toEqual(['a', 'ada@']);
  });

  it('drops an answer that has been overtaken', async () => {
    const { shown, ends, latest, turn } = bench();
    latest.ask('a');
    latest.ask('b');
    ends[0]?.resolve('A');
    await turn();
    expect(shown).toEqual([]);
    ends[1]?.resolve('B');
    await turn();
    expect(shown).toEqual(['B']);
  });

  it('goes on after a failure', async () => {
    const { shown, ends, latest, turn } = bench();
    latest.ask('a');
    ends[0]?.reject(new Error('no'));
    await turn();
    latest.ask('b');
    ends[1]?.resolve('B');
    await turn();
    expect(shown).toEqual(['failed: no', 'B']);
  });

  it('shows nothing after it was cancelled', async () => {
    const { asked, shown, ends, latest, turn } = bench();
    latest.ask('a');
    latest.ask('b');
    latest.cancel();
    ends[0]?.resolve('A');
    await turn();
    expect(asked).toEqual(['a']);
    expect(shown).toEqual([]);
  });

  it('is settled when the last answer is shown', async () => {
    const { shown, ends, latest } = bench();
    latest.ask('a');
    const settled = latest.settled().then(() => shown.push('settled'));
    ends[0]?.resolve('A');
    await settled;
    expect(shown).toEqual(['A', 'settled']);
    await latest.settled();
  });
});
