import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import {
  answer,
  instanceLike,
  linksOf,
  refuse,
  requestLike,
  type Asked,
} from '../../tests/answers';
import type { Instance, OpenRequest } from '../generated/types';
import { forgetInstance } from '../lib/state/changes';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Links from './Links.svelte';

const instance = instanceLike({ id: 'here', hosted: 'here' });
const COUNTS = { not_used: 1, in_use: 0, used_up: 0, expired: 0, revoked: 0, superseded: 0 };

/** The open requests of the directory. */
let open: OpenRequest[];

beforeEach(() => {
  cleanup();
  forgetInstance(instance.id);
  toasts.list = [];
  open = [requestLike()];
  studio.open('links');
});

function answers(others: Parameters<typeof answer>[0] = {}, shown: Instance = instance): Asked[] {
  studio.instances = [shown];
  return answer({
    links: (request) => linksOf(request, 3),
    link_counts: () => COUNTS,
    link_requests: () => [...open],
    link_request_grant: ({ number }) => {
      open = open.filter((request) => request.number !== number);
      return { clears_in_secs: 60, warning: null };
    },
    link_request_dismiss: ({ number }) => {
      open = open.filter((request) => request.number !== number);
      return null;
    },
    ...others,
  });
}

async function show(others: Parameters<typeof answer>[0] = {}): Promise<Asked[]> {
  const asked = answers(others);
  render(Links, { instance });
  await userEvent.click(screen.getByTestId('links-tab-requests'));
  return asked;
}

it('shows who asks, with which link, why it no longer works, when and from where', async () => {
  await show();
  const entry = await screen.findByTestId('request');
  const tab = screen.getByTestId('links-tab-requests');
  expect(tab.textContent).toMatch(/Asked again\s+1/u);
  expect(tab.getAttribute('aria-pressed')).toBe('true');
  expect(screen.getByTestId('links-tab-all').getAttribute('aria-pressed')).toBe('false');
  for (const said of [/Ada Okafor/u, /has expired/u, /Asked/u, /iPhone, Safari, 203\.0\.113\.7/u]) {
    expect(entry.textContent).toMatch(said);
  }
  expect(screen.queryByTestId('links-table')).toBeNull();
  await userEvent.click(screen.getByTestId('links-tab-all'));
  expect(await screen.findByTestId('links-table')).toBeTruthy();
  expect(screen.queryByTestId('request')).toBeNull();
});

it('makes the new link, copies it, says so, and the request is gone', async () => {
  const asked = await show();
  await userEvent.click(await screen.findByTestId('request-grant'));
  await screen.findByTestId('requests-empty');
  expect(asked).toContainEqual({
    name: 'link_request_grant',
    request: { instance: 'here', number: 7 },
  });
  expect(toasts.list[0]?.text).toContain('New link for Ada Okafor made and copied.');
  expect(screen.getByTestId('links-tab-requests').textContent).toMatch(/Asked again\s+0/u);
});

it('warns of a new link that the instance refuses', async () => {
  const warning = { code: 'no_seats', message: "'Here' refuses the link. No seats are left." };
  await show({ link_request_grant: () => ({ clears_in_secs: 60, warning }) });
  await userEvent.click(await screen.findByTestId('request-grant'));
  await waitFor(() => expect(toasts.list[0]?.tone).toBe('warning'));
  expect(toasts.list[0]?.text).toContain('New link for Ada Okafor made and copied.');
  expect(toasts.list[0]?.text).toContain(warning.message);
});

it('dismisses a request', async () => {
  const asked = await show();
  await userEvent.click(await screen.findByTestId('request-dismiss'));
  await screen.findByTestId('requests-empty');
  expect(asked).toContainEqual({
    name: 'link_request_dismiss',
    request: { instance: 'here', number: 7 },
  });
  expect(toasts.list[0]?.text).toBe('The request of Ada Okafor is dismissed.');
});

it('goes to the next request after an answer, and to the title after the last', async () => {
  open = [requestLike(), requestLike({ number: 8, name: 'Grace' }), requestLike({ number: 9 })];
  await show();
  const of = (name: string) => screen.getByRole('button', { name });
  await waitFor(() => expect(screen.getAllByTestId('request')).toHaveLength(3));
  const [first] = screen.getAllByTestId('request-dismiss');
  first?.focus();
  await userEvent.keyboard('{Enter}');
  await waitFor(() => expect(document.activeElement).toBe(of('Dismiss the request of Grace')));
  await userEvent.keyboard('{Enter}');
  await waitFor(() => expect(document.activeElement).toBe(of('Dismiss the request of Ada Okafor')));
  await userEvent.click(of('Make a new link for Ada Okafor'));
  await screen.findByTestId('requests-empty');
  await waitFor(() =>
    expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'Links' })),
  );
});

it('says why no link was made, and keeps the request', async () => {
  await show({ link_request_grant: () => refuse('keys_locked', 'The keys are locked.') });
  await userEvent.click(await screen.findByTestId('request-grant'));
  await waitFor(() => expect(toasts.list[0]?.text).toBe('Ada Okafor: The keys are locked.'));
  expect(screen.getByTestId('request')).toBeTruthy();
});

it('says why the requests cannot be shown, and tries again', async () => {
  let isBroken = true;
  await show({
    link_requests: () => (isBroken ? refuse('storage', 'The disk is full.') : [...open]),
  });
  const problem = await screen.findByTestId('requests-problem');
  expect(problem.textContent).toContain('The disk is full.');
  isBroken = false;
  await userEvent.click(within(problem).getByRole('button', { name: 'Try again' }));
  expect(await screen.findByTestId('request')).toBeTruthy();
});

it('has no such tab for an application elsewhere, and asks for nothing there', async () => {
  const elsewhere = instanceLike({ id: 'elsewhere' });
  const asked = answers({}, elsewhere);
  render(Links, { instance: elsewhere });
  await screen.findAllByTestId('link-row');
  expect(screen.queryByTestId('links-tab-requests')).toBeNull();
  expect(asked.some(({ name }) => name === 'link_requests')).toBe(false);
});
