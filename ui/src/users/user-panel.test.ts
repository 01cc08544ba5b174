import { cleanup, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { linkLike, refuse } from '../../tests/answers';
import { instance, open, profile, ref, reset } from '../../tests/users';
import type { LinksRequest, UserSession } from '../generated/types';
import { linkSelection, selection } from '../lib/state/selection.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import { linksFor } from '../links/list.svelte';

beforeEach(reset);

const ENDED = 1_795_300_000;

it('extends an account that has ended', async () => {
  let full = true;
  const asked = open(3, {
    user: () => profile('ended', ENDED),
    user_set_account_end: () =>
      full ? refuse('no_seats', 'All 10 seats are taken.') : profile('active', ENDED + 90_000),
  });
  selection.select(instance.id, 'user-0');
  expect((await screen.findByTestId('user-status')).textContent).toBe('Ended');
  expect(screen.getByTestId('user-end').textContent).toContain('Account ended');
  expect(screen.queryByTestId('user-reactivate')).toBeNull();
  await userEvent.click(screen.getByTestId('user-extend'));
  const days = screen.getByLabelText('Days from now');
  await userEvent.clear(days);
  await userEvent.type(days, '30');
  await userEvent.click(screen.getByTestId('extend-submit'));
  expect((await screen.findByRole('alert')).textContent).toContain('All 10 seats are taken.');
  full = false;
  await userEvent.click(screen.getByTestId('extend-submit'));
  const request = { ...ref, ends: '30 days' };
  await waitFor(() => expect(asked).toContainEqual({ name: 'user_set_account_end', request }));
  await waitFor(() => expect(screen.getByTestId('user-status').textContent).toBe('Has a seat'));
  expect(toasts.list.at(-1)?.text).toContain('The account of user-0 ends');
});

it('says at the field that days are a number', async () => {
  const said =
    'An account ends at a time, such as 2026-11-29T23:10, or after a whole number of days from 1 to 3650, such as 14 days.';
  const asked = open(3, {
    user: () => profile('ended', ENDED),
    user_set_account_end: () => refuse('invalid_time', said, 'ends_at'),
  });
  selection.select(instance.id, 'user-0');
  await userEvent.click(await screen.findByTestId('user-extend'));
  await userEvent.type(screen.getByLabelText('Days from now'), ' days');
  await userEvent.click(screen.getByTestId('extend-submit'));
  expect((await screen.findByTestId('error-ends_at')).textContent).toBe(said);
  expect(asked.find(({ name }) => name === 'user_set_account_end')?.request).toEqual({
    ...ref,
    ends: '0 days',
  });
});

it('removes the end of an account', async () => {
  const asked = open(3, {
    user: () => profile('active', ENDED),
    user_set_account_end: () => profile(),
  });
  selection.select(instance.id, 'user-0');
  await userEvent.click(await screen.findByRole('button', { name: 'Change…' }));
  await userEvent.selectOptions(screen.getByLabelText('The account ends'), 'never');
  await userEvent.click(screen.getByTestId('extend-submit'));
  const request = { ...ref, ends: null };
  await waitFor(() => expect(asked).toContainEqual({ name: 'user_set_account_end', request }));
  await waitFor(() =>
    expect(screen.getByTestId('user-end').textContent).toContain('The account has no end.'),
  );
});

const SESSION: UserSession = {
  id: '3f09c2a1b4d7',
  browser: 'iPhone, Safari',
  user_agent: 'Mozilla/5.0 (iPhone)',
  address: '203.0.113.7',
  created_at: 1_795_300_000,
  last_seen: 1_795_300_600,
  ends_at: 1_796_500_000,
  in_frame: false,
  link: 'the-link',
};

it('lists the links of a user, opens one, and revokes one or all', async () => {
  const links = [linkLike(), linkLike({ id: 'link-1', status: 'expired' })];
  const asked = open(2, {
    links: () => ({ links, first_row: 0, total: 9, next: null }),
    links_revoke: () => null,
  });
  selection.select(instance.id, 'user-0');
  const list = await screen.findByTestId('user-links');
  await waitFor(() => expect(within(list).getAllByTestId('user-link-entry')).toHaveLength(2));
  const wanted = asked.find(({ name }) => name === 'links')?.request as LinksRequest;
  expect(wanted.query.user).toBe('user-0');
  const revoke = async (button: HTMLElement) => {
    await userEvent.click(button);
    await userEvent.click(await screen.findByTestId('revoke-confirm'));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    return asked.findLast(({ name }) => name === 'links_revoke')?.request;
  };
  // A link that has ended is not revoked.
  expect(await revoke(within(list).getByTestId('user-link-revoke'))).toMatchObject({
    links: { link: 'link-0' },
  });
  expect(await revoke(within(list).getByTestId('user-links-revoke'))).toMatchObject({
    links: { user: 'user-0' },
  });
  const [first] = within(list).getAllByTestId('user-link-entry');
  if (first) await userEvent.click(first);
  expect([studio.screen, linkSelection.of(instance.id)]).toEqual(['links', 'link-0']);
  linkSelection.clear(instance.id);
});

it('leads from a user to all links of that user', async () => {
  open(2, { links: () => ({ links: [linkLike()], first_row: 0, total: 9, next: null }) });
  selection.select(instance.id, 'user-0');
  await userEvent.click(await screen.findByRole('button', { name: 'Show all 9' }));
  const { only, search } = linksFor(instance.id);
  expect([studio.screen, search, only]).toEqual(['links', '', { kind: 'person', user: 'user-0' }]);
});

it('lists the sessions of a user, and ends one of them', async () => {
  let sessions: UserSession[] = [
    SESSION,
    { ...SESSION, id: '0123456789ab', browser: null, in_frame: true },
  ];
  const asked = open(2, {
    user_sessions: () => ({ sessions, total: 60 }),
    session_end: ({ session }) => {
      sessions = sessions.filter(({ id }) => id !== session);
      return null;
    },
  });
  selection.select(instance.id, 'user-0');
  const list = await screen.findByTestId('user-sessions');
  const [phone, other] = within(list).getAllByRole('listitem');
  for (const shown of ['iPhone, Safari', '203.0.113.7', 'the-link', 'since', 'last used'])
    expect(phone?.textContent).toContain(shown);
  expect(other?.textContent).toContain('Unknown browser, in the widget');
  expect(screen.getByTestId('sessions-more').textContent).toContain('58 older ones');
  const names = within(list)
    .getAllByRole('button')
    .map((button) => button.ariaLabel);
  expect(names[0]).toMatch(/^Sign out of iPhone, Safari at 203\.0\.113\.7, since /u);
  await userEvent.click(within(list).getByRole('button', { name: /iPhone, Safari/u }));
  await waitFor(() => expect(within(list).getAllByRole('listitem').length).toBe(1));
  await waitFor(() =>
    expect(document.activeElement).toBe(within(list).getByRole('button', { name: /Unknown/u })),
  );
  const ended = asked.filter(({ name }) => name === 'session_end');
  expect(ended.map(({ request }) => request)).toEqual([{ ...ref, session: '3f09c2a1b4d7' }]);
});

it('names the buttons of two like sessions apart, and goes to the heading after the last', async () => {
  let sessions: UserSession[] = [
    { ...SESSION, browser: null },
    { ...SESSION, browser: null, id: '0123456789ab', created_at: SESSION.created_at + 3600 },
  ];
  open(2, {
    user_sessions: () => ({ sessions, total: sessions.length }),
    session_end: ({ session }) => {
      sessions = sessions.filter(({ id }) => id !== session);
      return null;
    },
  });
  selection.select(instance.id, 'user-0');
  const list = await screen.findByTestId('user-sessions');
  const buttons = within(list).getAllByRole('button');
  expect(new Set(buttons.map((button) => button.ariaLabel)).size).toBe(2);
  const last = buttons.at(-1);
  if (last) await userEvent.click(last);
  await waitFor(() => expect(document.activeElement).toBe(buttons[0]));
  await userEvent.keyboard('{Enter}');
  await screen.findByTestId('user-no-session');
  await waitFor(() =>
    expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'Sessions' })),
  );
});

it('says that a user is not signed in anywhere, and why a session is not ended', async () => {
  open(2, { user_sessions: () => ({ sessions: [], total: 0 }) });
  selection.select(instance.id, 'user-0');
  await screen.findByTestId('user-no-session');
  cleanup();
  open(2, {
    user_sessions: () => ({ sessions: [SESSION], total: 1 }),
    session_end: () => refuse('unknown_session', 'It has ended.'),
  });
  await userEvent.click(await screen.findByTestId('session-end'));
  await waitFor(() => expect(toasts.list[0]?.text).toContain('It has ended.'));
});
