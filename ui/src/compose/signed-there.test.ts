import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import {
  answer,
  connectedLike,
  forecastLike,
  lastAsked,
  outlineLike,
  pageLike,
  previewLike,
  refuse,
  type Asked,
} from '../../tests/answers';
import { person } from '../../tests/compose';
import { forgetInstance } from '../lib/state/changes';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Compose from './Compose.svelte';
import { composerFor } from './composer.svelte';

const instance = connectedLike();
const signsIn = forecastLike({ title: 'Signs in ada', verdict: 'signed_in' });

let asked: Asked[];
let revision: number;
/** Lets an answer of the gateway arrive. Until then, it is awaited. */
let arrive: () => void;
let arrived: Promise<void>;
let refusesToSign: boolean;

const count = (name: string) => asked.filter((one) => one.name === name).length;

beforeEach(() => {
  cleanup();
  forgetInstance(instance.id);
  toasts.list = [];
  studio.put(instance);
  revision = 0;
  refusesToSign = false;
  arrived = Promise.resolve();
  asked = answer({
    users: () => pageLike([]),
    compose: () => outlineLike({ revision: (revision += 1) }),
    link_forecast: async () => {
      await arrived;
      return { forecast: signsIn, remedies: [] };
    },
    link_sign: async () => {
      await arrived;
      if (refusesToSign) refuse('unreachable', 'The gateway does not answer.');
      return previewLike({ revision: (revision += 1), forecast: null });
    },
    copy: () => ({ clears_in_secs: 60, warning: null }),
    qr_save: () => ({ file: 'ada.png' }),
  });
  render(Compose, { instance });
});

function hold() {
  arrived = new Promise((resolve) => (arrive = resolve));
}

async function type(text: string) {
  await userEvent.type(person(), text);
  await screen.findByTestId('link-outline');
}

async function forecast() {
  await waitFor(() => expect(screen.getByTestId('forecast').textContent).toContain('Signs in ada'));
}

it('shows everything but the signature, and no QR code that a phone could scan', async () => {
  await type('ada@acme.example');
  await forecast();
  expect(screen.getByTestId('link-outline').textContent).toContain('signature follows');
  expect(screen.queryByTestId('link')).toBeNull();
  expect(screen.queryByTestId('qr')).toBeNull();
  expect(screen.getByTestId('qr-unsigned').textContent).toContain('once the gateway has signed');
  expect(document.body.textContent).toContain('Version 9, 53 × 53 modules');
  expect(screen.getByTestId('link-signed').textContent).toContain(
    'signs the link when you take it',
  );
  expect(count('link_sign')).toBe(0);
});

it('asks the gateway once after typing, and never waits for it between keystrokes', async () => {
  hold();
  await type('ada@acme.example');
  expect(screen.getByTestId('forecast').textContent).toContain('Asking admin.acme.example');
  await waitFor(() => expect(count('link_forecast')).toBe(1));
  // The answer is still awaited, and the preview follows the input all the same.
  const before = revision;
  await userEvent.type(person(), 'x');
  await waitFor(() => expect(revision).toBeGreaterThan(before));
  arrive();
  await forecast();
  expect(count('link_forecast')).toBeLessThanOrEqual(2);
});

it('signs the link when it is copied, and copies the same one again', async () => {
  await type('ada@acme.example');
  await forecast();
  await userEvent.click(screen.getByTestId('copy-link'));
  await waitFor(() => expect(count('copy')).toBe(1));
  const [signed, copied] = [revision, asked.find(({ name }) => name === 'copy')?.request];
  expect(copied).toMatchObject({ revision: signed, what: 'link' });
  expect(await screen.findByTestId('link')).toBeTruthy();
  expect(screen.getByTestId('qr')).toBeTruthy();
  expect(screen.getByTestId('link-signed').textContent).toContain('Signed by');
  expect(screen.getByTestId('forecast').textContent).toContain('Signs in ada');
  await userEvent.click(screen.getByTestId('copy-qr'));
  await waitFor(() => expect(count('copy')).toBe(2));
  await userEvent.click(screen.getByTestId('copy-message'));
  await waitFor(() => expect(count('copy')).toBe(3));
  expect(lastAsked(asked, 'copy')).toMatchObject({ what: 'message' });
  expect(count('link_sign')).toBe(1);
});

it.each(['qr-take', 'copy-qr', 'save-png', 'save-svg'])('signs the link for %s', async (taken) => {
  await type('ada@acme.example');
  await forecast();
  await userEvent.click(screen.getByTestId(taken));
  expect(await screen.findByTestId('qr')).toBeTruthy();
  expect(count('link_sign')).toBe(1);
});

it('signs the link for the widget tag', async () => {
  await type('ada@acme.example');
  await forecast();
  await userEvent.click(screen.getByTestId('tab-widget'));
  expect(screen.queryByTestId('widget')).toBeNull();
  await userEvent.click(screen.getByTestId('copy-widget'));
  expect(await screen.findByTestId('widget')).toBeTruthy();
});

it('copies nothing and says so if the gateway does not sign', async () => {
  refusesToSign = true;
  await type('ada@acme.example');
  await forecast();
  await userEvent.click(screen.getByTestId('copy-link'));
  await waitFor(() =>
    expect(toasts.list.at(-1)?.text).toBe('Nothing copied. The gateway does not answer.'),
  );
  expect(count('copy')).toBe(0);
  expect(screen.queryByTestId('qr')).toBeNull();
});

it('signs once for two presses at the same time', async () => {
  await type('ada@acme.example');
  await forecast();
  hold();
  const composer = composerFor(instance.id);
  const both = [composer.copy('link'), composer.copy('code')];
  await waitFor(() => expect(count('link_sign')).toBe(1));
  arrive();
  expect(await Promise.all(both)).toEqual([true, true]);
  expect(count('link_sign')).toBe(1);
});

it('waits for the forecast before it copies, so that no refused link is signed', async () => {
  await userEvent.type(person(), 'ada@acme.example');
  await composerFor(instance.id).copy('link');
  const names = asked.map(({ name }) => name);
  expect(names.indexOf('link_forecast')).toBeGreaterThan(-1);
  expect(names.indexOf('link_forecast')).toBeLessThan(names.indexOf('link_sign'));
});
