import { waitFor } from '@testing-library/svelte';
import { beforeEach, expect, it } from 'vitest';

import { answer, forecastLike, outlineLike, type Asked } from '../../tests/answers';
import type { Judgement, Problem } from '../generated/types';
import { Refused } from '../lib/bridge';
import { LivePreview } from './live.svelte';

type Pending = { revision: number; arrive: (judged: Judgement) => void; fail: () => void };

const good: Judgement = { forecast: forecastLike({ tone: 'good' }), remedies: [] };
const refused: Judgement = { forecast: forecastLike({ tone: 'refused' }), remedies: [] };

const unreachable: Problem = { code: 'unreachable', message: 'It does not answer.', field: null };

let asked: Asked[];
let revision: number;
/** Requests for forecasts that the gateway has not answered. */
let awaited: Pending[];
let live: LivePreview;

beforeEach(() => {
  revision = 0;
  awaited = [];
  live = new LivePreview();
  asked = answer({
    compose: () => outlineLike({ revision: (revision += 1) }),
    link_forecast: ({ revision: about }) =>
      new Promise((resolve, reject) => {
        awaited.push({
          revision: about,
          arrive: resolve,
          fail: () => reject(new Refused(unreachable)),
        });
      }),
  });
});

/** Shows the link of a person, and asks for its forecast. */
async function show(person: string): Promise<Pending> {
  live.show({
    instance: 'acme',
    who: { kind: 'id', id: person, as_text: false },
    expires_in: '7 days',
    not_before: null,
    uses: null,
    account_ends: null,
    anew: false,
  });
  const next = revision + 1;
  await waitFor(() => expect(awaited.at(-1)?.revision).toBe(next));
  const last = awaited.at(-1);
  if (!last) throw new Error('nothing was asked');
  return last;
}

it('takes no failure of a forecast that arrives after another preview', async () => {
  const first = await show('ada');
  live.shown = outlineLike({ revision: 99 });
  first.fail();
  await new Promise((resolve) => setTimeout(resolve));
  expect(live.unknown).toBeNull();
  expect(live.judging).toBe(true);
});

it('keeps a refused link refused until the gateway has judged the next one', async () => {
  (await show('ada')).arrive(refused);
  await waitFor(() => expect(live.refused).toBe(true));
  const next = await show('adam');
  expect(live.judging).toBe(true);
  expect(live.refused).toBe(true);
  expect(live.ready).toBe(false);
  next.arrive(good);
  await waitFor(() => expect(live.ready).toBe(true));
  expect(live.refused).toBe(false);
});

it('is settled only with the forecast of the latest link', async () => {
  const first = await show('ada');
  let settled = false;
  const waiting = live.settled().then(() => (settled = true));
  // Somebody types on while the gateway judges.
  live.shown = outlineLike({ revision: (revision += 1) });
  first.arrive(good);
  await waitFor(() => expect(awaited).toHaveLength(2));
  expect(settled).toBe(false);
  expect(live.ready).toBe(false);
  awaited.at(-1)?.arrive(refused);
  await waiting;
  expect(live.refused).toBe(true);
});

it('asks once for the forecast of a link, although it is awaited meanwhile', async () => {
  const only = await show('ada');
  const waiting = live.settled();
  only.arrive(good);
  await waiting;
  expect(asked.filter(({ name }) => name === 'link_forecast')).toHaveLength(1);
});

it('leaves the preview as it is when the forecast arrives, so that only the forecast is drawn', async () => {
  const pending = await show('ada');
  const { shown } = live;
  pending.arrive(good);
  await waitFor(() => expect(live.forecast).not.toBeNull());
  expect(live.shown).toBe(shown);
});
