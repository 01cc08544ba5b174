import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import {
  answer,
  forecastLike,
  instanceLike,
  pageLike,
  previewLike,
  refuse,
  type Asked,
} from '../../tests/answers';
import { person } from '../../tests/compose';
import type { Instance } from '../generated/types';
import { forgetInstance } from '../lib/state/changes';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Compose from './Compose.svelte';

const here = instanceLike({ hosted: 'here' });
const URL = 'HTTPS://CHAT.ACME.EXAMPLE/AUTH/L/MZXW6YTBOI4TSNBRGQZDGMRSGE';

let asked: Asked[];
let revision: number;
let refuses: boolean;

const requests = (name: string) => asked.filter((one) => one.name === name);

async function open(instance: Instance) {
  studio.put(instance);
  const preview = () => ({
    revision: (revision += 1),
    forecast: forecastLike({ title: 'Signs in ada', verdict: 'signed_in' }),
  });
  asked = answer({
    users: () => pageLike([]),
    compose: () => previewLike(preview()),
    link_sign: () => {
      if (refuses) refuse('storage', 'The disk is full.');
      const qr = {
        version: 4,
        modules: 33,
        level: 'M' as const,
        path: 'M4 4h1v1h-1z',
        warning: null,
      };
      return previewLike({ ...preview(), taken: true, short: { url: URL, qr } });
    },
    copy: () => ({ clears_in_secs: 60, warning: null }),
    qr_save: () => ({ file: 'ada.png' }),
  });
  render(Compose, { instance });
  await userEvent.type(person(), 'ada@acme.example');
  await screen.findByTestId('link');
}

beforeEach(() => {
  cleanup();
  forgetInstance(here.id);
  toasts.list = [];
  revision = 0;
  refuses = false;
});

it('offers no short link to an application elsewhere, which would not know it', async () => {
  await open(instanceLike({ hosted: 'elsewhere' }));
  expect(screen.queryByTestId('short')).toBeNull();
});

it('shows no QR code of a short link that does not work yet', async () => {
  await open(here);
  expect(screen.getByTestId('qr')).toBeTruthy();
  await userEvent.click(screen.getByTestId('short'));
  expect(screen.queryByTestId('qr')).toBeNull();
  expect(screen.queryByTestId('link')).toBeNull();
  expect(screen.getByTestId('qr-unsigned').textContent).toContain('in the ledger');
  expect(requests('link_sign')).toEqual([]);
  await userEvent.click(screen.getByTestId('qr-take'));
  expect(await screen.findByTestId('qr')).toBeTruthy();
  expect(screen.getByTestId('short-link').textContent.trim()).toBe(URL);
  expect(document.body.textContent).toContain('Version 4, 33 × 33 modules');
  expect(requests('link_sign')[0]?.request).toMatchObject({
    given: 'qr_code',
    notes: { short: true },
  });
  // The long link is shown again without another one.
  await userEvent.click(screen.getByTestId('short'));
  expect(screen.getByTestId('link')).toBeTruthy();
  expect(requests('link_sign').length).toBe(1);
});

it('enters the short link before it is copied, and copies the same one again', async () => {
  await open(here);
  await userEvent.click(screen.getByTestId('short'));
  await userEvent.click(screen.getByTestId('copy-link'));
  await waitFor(() => expect(requests('copy').length).toBe(1));
  expect(requests('copy')[0]?.request).toMatchObject({
    revision,
    what: 'link',
    notes: { short: true },
  });
  expect(toasts.list.at(-1)?.text).toContain('Short link copied.');
  await userEvent.click(screen.getByTestId('copy-link'));
  await waitFor(() => expect(requests('copy').length).toBe(2));
  expect(requests('link_sign').length).toBe(1);
});

it('copies the code itself without a short link', async () => {
  await open(here);
  await userEvent.click(screen.getByTestId('short'));
  await userEvent.click(screen.getByTestId('copy-code'));
  await waitFor(() => expect(requests('copy').length).toBe(1));
  expect(requests('copy')[0]?.request).toMatchObject({ what: 'code', notes: { short: false } });
  expect(requests('link_sign')).toEqual([]);
});

it('copies nothing if the short link cannot be entered', async () => {
  refuses = true;
  await open(here);
  await userEvent.click(screen.getByTestId('short'));
  await userEvent.click(screen.getByTestId('copy-link'));
  await waitFor(() => expect(toasts.list.at(-1)?.text).toBe('Nothing copied. The disk is full.'));
  expect(requests('copy')).toEqual([]);
  expect(screen.queryByTestId('qr')).toBeNull();
});
