import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, refuse } from '../../tests/answers';
import { toasts } from '../lib/state/toasts.svelte';
import Help from './Help.svelte';

const PATH = '/data/logs/studio.2026-11-26.log';

beforeEach(() => {
  toasts.list = [];
});

it('names the log file and opens its folder', async () => {
  const asked = answer({ log_file: () => ({ path: PATH }), log_folder_open: () => null });
  render(Help);
  await screen.findByText(PATH);
  await userEvent.click(screen.getByRole('button', { name: 'Open folder' }));
  expect(asked.map(({ name }) => name)).toContain('log_folder_open');
  expect(toasts.list).toEqual([]);
});

it('says where no file manager can be started', async () => {
  answer({
    log_file: () => ({ path: PATH }),
    log_folder_open: () => refuse('internal', 'No file manager could be started.'),
  });
  render(Help);
  await userEvent.click(await screen.findByRole('button', { name: 'Open folder' }));
  await waitFor(() => expect(toasts.list[0]?.text).toContain('No file manager'));
});
