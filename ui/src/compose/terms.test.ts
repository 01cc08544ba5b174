import { cleanup, render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, previewLike, refuse } from '../../tests/answers';
import { forgetInstance } from '../lib/state/changes';
import Compose from './Compose.svelte';
import { composerFor } from './composer.svelte';

const REASON = 'This is not a time. Write it as 2026-11-29T23:10 or 2026-11-29T23:10:00Z.';

beforeEach(() => {
  cleanup();
  forgetInstance('your-company');
});

it('says at Starts why its time is refused', async () => {
  answer({
    compose: ({ not_before }) =>
      not_before === null ? previewLike() : refuse('invalid_time', REASON, 'not_before'),
  });
  render(Compose, { instance: instanceLike() });
  await userEvent.type(screen.getByLabelText(/^Person/u), 'ada@yourcompany.com');
  await userEvent.click(screen.getByRole('button', { name: 'Works from a later time…' }));
  const field = screen.getByLabelText('Works from');
  await userEvent.type(field, '2026-12-01T09:00');
  await userEvent.tab();
  const error = await screen.findByTestId('error-not_before');
  expect(error.textContent).toBe(REASON);
  expect(field.getAttribute('aria-describedby')).toBe(error.id);
});

it('says that older links stop before a link that works later replaces them', async () => {
  answer({ compose: () => previewLike() });
  render(Compose, { instance: instanceLike({ hosted: 'here' }) });
  await userEvent.type(screen.getByLabelText(/^Person/u), 'ada@yourcompany.com');
  const gap = /until then the person has no link that works/u;
  await userEvent.selectOptions(screen.getByTestId('older-links'), 'stop');
  expect(screen.queryByText(gap)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Works from a later time…' }));
  expect(screen.getByText(gap)).toBeTruthy();
  await userEvent.selectOptions(screen.getByTestId('older-links'), 'keep');
  expect(screen.queryByText(gap)).toBeNull();
});

it('takes over the person of another link with the metadata', () => {
  const { draft } = composerFor('your-company');
  const metadata = { kind: 'json' as const, text: '{"name": "Ada", "team": "Research"}' };
  const who = { kind: 'user' as const, id: 'ada', email: 'ada@yourcompany.com', metadata };
  draft.take({ who, expires_in: '7 days', uses: 3, account_ends: null, note: 'Loan laptop' });
  expect(draft.request(instanceLike({ hosted: 'here' }))).toMatchObject({
    who: {
      ...who,
      metadata: {
        kind: 'fields',
        fields: [
          ['name', 'Ada'],
          ['team', 'Research'],
        ],
      },
    },
    uses: 3,
  });
});
