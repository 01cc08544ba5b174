import { cleanup, render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, previewLike, refuse } from '../../tests/answers';
import { forgetInstance } from '../lib/state/changes';
import Compose from './Compose.svelte';

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
