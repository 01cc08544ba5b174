import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, refuse, type Asked } from '../../tests/answers';
import type { Hosted, Verified } from '../generated/types';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Activity from './Activity.svelte';

const whole: Verified = {
  sound: true,
  title: 'The activity is whole: 3 entries as recorded.',
  details: [],
  last: '3:abcd',
};

beforeEach(() => {
  cleanup();
  toasts.list = [];
});

function open(answers: Parameters<typeof answer>[0], hosted: Hosted = 'here'): Asked[] {
  const instance = instanceLike({ id: 'here', hosted });
  studio.instances = [instance];
  studio.open('activity');
  const asked = answer({
    activity: () => ({ entries: [], before: null }),
    seats: () => ({ used: 1, limit: null }),
    ...answers,
  });
  render(Activity, { instance });
  return asked;
}

const requests = (asked: Asked[], wanted: string) =>
  asked.filter(({ name }) => name === wanted).map(({ request }) => request);

it('exports all entries or those of the search', async () => {
  const asked = open({ activity_export: () => ({ file: 'activity.jsonl', count: 1200 }) });
  await userEvent.type(screen.getByTestId('activity-search'), 'ada');
  await userEvent.click(screen.getByTestId('activity-export'));
  await userEvent.click(await screen.findByTestId('activity-export-shown'));
  await userEvent.click(screen.getByTestId('activity-export-json_lines'));
  await userEvent.click(screen.getByTestId('activity-export-save'));
  await waitFor(() => expect(toasts.list[0]?.text).toBe('1,200 entries are in activity.jsonl.'));
  expect(screen.queryByTestId('activity-export-dialog')).toBeNull();
  expect(requests(asked, 'activity_export')).toEqual([
    { instance: 'here', kind: null, text: 'ada', format: 'json_lines' },
  ]);
});

it('cancels an export that runs', async () => {
  let arrive: (value: { file: string | null; count: number }) => void = () => undefined;
  const asked = open({
    activity_export: () => new Promise((resolve) => (arrive = resolve)),
    save_cancel: () => {
      arrive({ file: null, count: 0 });
      return null;
    },
  });
  await userEvent.click(screen.getByTestId('activity-export'));
  await userEvent.click(await screen.findByTestId('activity-export-save'));
  expect(screen.getByTestId('activity-export-save').textContent).toContain('Exporting…');
  await userEvent.click(screen.getByTestId('activity-export-cancel'));
  expect(requests(asked, 'save_cancel')).toHaveLength(1);
  await waitFor(() =>
    expect(screen.getByTestId('activity-export-save').textContent).toContain('Save…'),
  );
  expect(screen.getByTestId('activity-export-dialog')).toBeTruthy();
});

it('verifies at once, and again with a seal to compare', async () => {
  const different: Verified = {
    ...whole,
    sound: false,
    details: ['Entry 3 does not have the expected hash.'],
  };
  const asked = open({
    activity_verify: ({ expect }) => (expect === null ? whole : different),
  });
  await userEvent.click(screen.getByTestId('activity-verify'));
  const result = () => screen.getByTestId('verify-result').textContent;
  await waitFor(() => expect(result()).toContain(whole.title));
  expect(screen.getByTestId('verify-last').textContent).toBe('3:abcd');
  await userEvent.type(screen.getByTestId('verify-expect'), ' 3:ef01 ');
  await userEvent.click(screen.getByTestId('verify-run'));
  await waitFor(() => expect(result()).toContain('does not have the expected hash'));
  expect(requests(asked, 'activity_verify')).toEqual([
    { instance: 'here', expect: null },
    { instance: 'here', expect: '3:ef01' },
  ]);
});

it('says at the field that a seal cannot be read', async () => {
  open({
    activity_verify: ({ expect }) => {
      if (expect === null) return whole;
      return refuse('invalid_request', 'It is not NUMBER:HASH.', 'expect');
    },
  });
  await userEvent.click(screen.getByTestId('activity-verify'));
  await screen.findByTestId('verify-last');
  await userEvent.type(screen.getByTestId('verify-expect'), 'x');
  await userEvent.click(screen.getByTestId('verify-run'));
  expect(await screen.findByText('It is not NUMBER:HASH.')).toBeTruthy();
});

it('does not verify what is recorded elsewhere', () => {
  open({}, 'elsewhere');
  expect(screen.getByTestId<HTMLButtonElement>('activity-verify').disabled).toBe(true);
  expect(screen.getByTestId<HTMLButtonElement>('activity-export').disabled).toBe(false);
});
