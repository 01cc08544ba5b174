import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import {
  answer,
  inspectionLike,
  instanceLike,
  pageOf,
  previewLike,
  refuse,
  startLike,
  userLike,
} from '../../../tests/answers';
import App from '../../app/App.svelte';
import type { ApiKey } from '../../generated/types';
import type { ScreenId } from '../screens';
import { forgetInstance } from '../state/changes';
import { selection } from '../state/selection.svelte';
import { studio } from '../state/studio.svelte';
import { toasts } from '../state/toasts.svelte';

const HOSTILE = 'rlo\u{202e}evil\u{1b}\u{2066}';
const SHOWN = 'rlo\\u{202e}evil\\u{1b}\\u{2066}';
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const key: ApiKey = {
  id: 'k1',
  name: HOSTILE,
  created_at: 1_795_300_000,
  scopes: ['links'],
  expires_at: null,
  last_used_at: null,
};
const here = instanceLike({ id: 'here', name: HOSTILE, hosted: 'here', api_keys: [key] });
const user = userLike({ id: HOSTILE, email: `${HOSTILE}@b.co` });
const claims = JSON.stringify({ id: HOSTILE, [HOSTILE]: 1 }, null, 2);

beforeEach(async () => {
  cleanup();
  forgetInstance(here.id);
  selection.clear(here.id);
  toasts.list = [];
  const entry = {
    number: 1,
    at: 1_795_300_000,
    kind: 'refusal' as const,
    code: 'unknown_user',
    title: `Refused ${HOSTILE}`,
    detail: HOSTILE,
    parameters: {},
    subject: HOSTILE,
    actor: `API key ${HOSTILE}`,
    address: HOSTILE,
    reference: null,
  };
  const forecast = {
    ...inspectionLike().forecast,
    title: `Signs in ${HOSTILE}`,
    detail: HOSTILE,
    user: HOSTILE,
  };
  const hint = {
    code: 'other_host' as const,
    title: HOSTILE,
    message: HOSTILE,
    instance: null,
  };
  const problem = { code: 'shared_email', message: `${HOSTILE} has it` };
  answer({
    start: () => startLike({ instances: [here], current: here.id }),
    log_file: () => ({ path: '/data/log' }),
    gateway: () => ({ running: null, others: [], addresses: [] }),
    seats: () => ({ used: 1, limit: null }),
    users: (request) => ({ ...pageOf(request, 1), users: [user], notices: [problem] }),
    user: () => ({ user, metadata_json: claims }),
    user_suspend: () => refuse('internal', `${HOSTILE} is not suspended.`),
    activity: () => ({ entries: [entry], before: null }),
    compose: () => previewLike({ forecast, claims_json: claims, warnings: [problem] }),
    inspect: () =>
      inspectionLike({
        forecast,
        claims_json: claims,
        header_json: claims,
        hints: [{ ...hint, next: 'make_link' }],
      }),
  });
  await studio.start();
});

/** Everything that is seen or read out, but what stands in fields. */
function said(): string {
  const texts = [document.body.textContent];
  for (const element of document.querySelectorAll('[title], [aria-label]')) {
    texts.push(element.getAttribute('title') ?? '', element.getAttribute('aria-label') ?? '');
  }
  return texts.join(' ').replaceAll('\n', ' ');
}

const openers: Partial<Record<ScreenId, () => Promise<unknown>>> = {
  compose: async () => {
    await userEvent.type(screen.getByLabelText(/^Person/u), 'ada@b.co');
    await userEvent.click(await screen.findByText('Details'));
    await screen.findByTestId('claims');
  },
  inspect: async () => {
    await userEvent.click(screen.getByRole('textbox', { name: 'Link, code, tag or text' }));
    await userEvent.paste('a.b.c');
    await userEvent.click(await screen.findByText('Details'));
    await screen.findByTestId('claims');
  },
  users: async () => {
    const [, row] = await screen.findAllByRole('row');
    if (!row) throw new Error('no user is shown');
    await userEvent.click(row);
    await screen.findByTestId('user-metadata');
    await screen.findByTestId('user-history');
    await userEvent.click(screen.getByRole('button', { name: 'Suspend' }));
    await screen.findByTestId('user-problem');
    await userEvent.click(screen.getByRole('button', { name: 'Remove…' }));
    await screen.findByRole('button', { name: 'Remove user' });
  },
  activity: () => screen.findByTestId('activity-entry'),
  gateway: () => screen.findByTestId('gateway-refusals'),
  settings: async () => {
    studio.open('settings', 'api');
    await screen.findByTestId('api-keys');
  },
};

it.each(Object.keys(openers) as ScreenId[])(
  '%s shows what is hidden in the texts of others',
  async (id) => {
    studio.open(id);
    render(App);
    await openers[id]?.();
    await waitFor(() => expect(said()).toContain(SHOWN));
    const at = said().search(HIDDEN);
    expect(at < 0 ? '' : said().slice(Math.max(0, at - 60), at + 20)).toBe('');
  },
);

it('an id is isolated from the text around it', async () => {
  studio.open('users');
  render(App);
  const row = await screen.findByTestId('user-row');
  expect([...row.querySelectorAll('bdi')].map(({ textContent }) => textContent)).toEqual([
    SHOWN,
    `${SHOWN}@b.co`,
  ]);
});
