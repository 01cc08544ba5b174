import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, refuse, type Asked } from '../../tests/answers';
import { composerFor } from '../compose/composer.svelte';
import type {
  CopiedUsers,
  CopiedUsersRequest,
  Instance,
  TypingMindConnect,
} from '../generated/types';
import CopyStatus from '../layout/CopyStatus.svelte';
import { copiesDue, forgetInstance } from '../lib/state/changes';
import { copies } from '../lib/state/copies.svelte';
import { selection } from '../lib/state/selection.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import TypingMindSection from '../settings/TypingMindSection.svelte';
import TypingMindUsers from './TypingMindUsers.svelte';

const now = () => Math.floor(Date.now() / 1000);
const instance = instanceLike({
  id: 'chat',
  typingmind: { region: 'eu', host: 'api.eu.typingmind.com', key_set_at: 1_795_300_000 },
});

beforeEach(() => {
  cleanup();
  forgetInstance(instance.id);
  selection.clear(instance.id);
  copies.forget(instance.id);
  toasts.list = [];
  studio.instances = [instance];
  studio.open('users');
});

/** Answers a request for rows of a copy with a number of users. */
function rows({ first, limit, search, group }: CopiedUsersRequest, total: number): CopiedUsers {
  const matching = search === '' && group === null ? total : 1;
  const count = Math.max(0, Math.min(limit, matching - first));
  return {
    at: now() - 180,
    users: Array.from({ length: count }, (_, at) => ({
      id: String(first + at + 1),
      email: `user-${first + at + 1}@acme.example`,
      created_at: 1_795_000_000,
      groups: ['Sales'],
    })),
    total: matching,
    everybody: total,
    groups: [{ id: 'g1', name: 'Sales' }],
  };
}

function open(total = 3, others: Parameters<typeof answer>[0] = {}): Asked[] {
  const asked = answer({
    typingmind_users: (request) => rows(request, total),
    typingmind_sync: () => ({ at: now() - 180, users: total }),
    activity: () => ({ entries: [], before: null }),
    ...others,
  });
  render(TypingMindUsers, { instance });
  return asked;
}

async function row(index: number): Promise<HTMLElement> {
  const found = (await screen.findAllByTestId('user-row'))[index];
  if (!found) throw new Error(`there is no row ${index}`);
  return found;
}

const asks = (asked: Asked[], wanted: string) => asked.filter(({ name }) => name === wanted);

it('shows the copy with its age, copies again when it opens, and invents no column', async () => {
  const asked = open(100_000);
  await waitFor(() =>
    expect(screen.getByTestId('screen-note').textContent).toBe('100,000, as of 3 min ago'),
  );
  expect(asks(asked, 'typingmind_sync')).toHaveLength(1);
  expect(screen.getAllByTestId('user-row').length).toBeLessThan(60);
  const heads = screen.getAllByRole('columnheader').map(({ textContent }) => textContent.trim());
  expect(heads).toEqual(['E-mail', 'ID there', 'Groups', 'Created']);
});

it('opens the panel of a user whose row is not loaded', async () => {
  selection.select(instance.id, '9000');
  const asked = open(100_000, {
    typingmind_user: ({ id }) => ({ id, email: 'far@acme.example', created_at: null, groups: [] }),
  });
  expect((await screen.findByTestId('user-panel')).textContent).toContain('far@acme.example');
  expect(asks(asked, 'typingmind_user')[0]?.request).toEqual({ instance: 'chat', id: '9000' });
  await userEvent.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByTestId('user-panel')).toBeNull());
  await userEvent.click(await row(0));
  expect((await screen.findByTestId('user-panel')).textContent).toContain('user-1@acme.example');
  expect(asks(asked, 'typingmind_user')).toHaveLength(1);
});

it('searches, filters by group and sorts', async () => {
  const asked = open();
  await screen.findAllByTestId('user-row');
  await userEvent.type(screen.getByTestId('users-search'), 'ada');
  await userEvent.selectOptions(screen.getByTestId('users-group'), 'g1');
  await userEvent.click(screen.getByTestId('users-sort-created'));
  await waitFor(() => {
    const last = asks(asked, 'typingmind_users').at(-1)?.request;
    expect(last).toMatchObject({
      search: 'ada',
      group: 'g1',
      sort_by: 'created',
      descending: true,
    });
  });
  expect(screen.getByTestId('screen-note').textContent).toContain('1 of 3');
});

it('keeps the copy and says what happened when copying fails', async () => {
  open(3, {
    typingmind_sync: () => refuse('key_refused', 'TypingMind refuses the key.', 'typingmind_key'),
  });
  const banner = await screen.findByTestId('copy-problem');
  expect(banner.textContent).toContain('TypingMind refuses the key.');
  expect(screen.getAllByTestId('user-row')).toHaveLength(3);
  await userEvent.click(screen.getByRole('button', { name: 'Settings' }));
  expect([studio.screen, studio.settingsPart]).toEqual(['settings', 'typingmind']);
});

it('makes a login link for the address of a row', async () => {
  open();
  await userEvent.click(await row(1));
  await userEvent.click(await screen.findByTestId('user-link'));
  expect(composerFor('chat').draft.person).toBe('user-2@acme.example');
  expect(composerFor('chat').draft.kind).toBe('email');
  expect(studio.screen).toBe('compose');
});

it('removes a user there only after it has said what happens', async () => {
  const asked = open(3, { typingmind_user_remove: () => null });
  await userEvent.click(await row(0));
  await userEvent.click(await screen.findByTestId('user-remove'));
  const dialog = await screen.findByRole('dialog');
  expect(dialog.textContent.replace(/\s+/gu, ' ')).toContain('can no longer sign in there');
  expect(asks(asked, 'typingmind_user_remove')).toHaveLength(0);
  await userEvent.click(screen.getByTestId('user-remove-confirm'));
  await waitFor(() =>
    expect(asks(asked, 'typingmind_user_remove')[0]?.request).toEqual({
      instance: 'chat',
      id: '1',
    }),
  );
  await waitFor(() => expect(screen.queryByTestId('user-panel')).toBeNull());
});

it('adds a user there, and shows what is refused in the dialog', async () => {
  let refuses = true;
  const asked = open(3, {
    typingmind_user_add: ({ email }) =>
      refuses
        ? refuse('unexpected_answer', 'User already exists.', null)
        : { id: '9', email, created_at: null, groups: [] },
  });
  await screen.findAllByTestId('user-row');
  await userEvent.click(screen.getByTestId('users-add'));
  await userEvent.type(await screen.findByTestId('typingmind-add-email'), 'ada@acme.example');
  await userEvent.click(screen.getByTestId('typingmind-add-submit'));
  expect((await screen.findByRole('alert')).textContent).toContain('User already exists.');
  refuses = false;
  await userEvent.click(screen.getByTestId('typingmind-add-submit'));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(asks(asked, 'typingmind_user_add')).toHaveLength(2);
  expect(toasts.list.map(({ text }) => text)).toEqual(['ada@acme.example is added at TypingMind.']);
});

it('asks nothing without a key, and leads to the settings', async () => {
  const asked = answer({});
  render(TypingMindUsers, { instance: instanceLike({ id: 'other' }) });
  const said = await screen.findByTestId('users-empty');
  expect(said.textContent.replace(/\s+/gu, ' ')).toContain('no copy of its users here');
  expect(asked).toEqual([]);
  await userEvent.click(screen.getByTestId('typingmind-connect'));
  expect(studio.settingsPart).toBe('typingmind');
});

it('copies the users of all connected instances whenever that is due', async () => {
  const asked = answer({ typingmind_sync: () => ({ at: now(), users: 1 }) });
  studio.instances = [instance, instanceLike({ id: 'other' })];
  const end = copies.keepCurrent();
  copiesDue.notify();
  await waitFor(() => expect(copies.at('chat')).not.toBeNull());
  end();
  copiesDue.notify();
  expect(asked.map(({ request }) => request)).toEqual([{ instance: 'chat' }]);
});

it('says the age of the copy in the foot of the rail', async () => {
  answer({ typingmind_users: (request) => rows(request, 3) });
  render(CopyStatus, { instance });
  await waitFor(() =>
    expect(screen.getByTestId('copy-age').textContent).toContain('as of 3 min ago'),
  );
});

it('connects with region and key, tests them by copying, and removes both', async () => {
  const unconnected: Instance = { ...instance, typingmind: null };
  const asked = answer({
    typingmind_connect: () => instance,
    typingmind_disconnect: () => unconnected,
    typingmind_sync: () => ({ at: now(), users: 38 }),
  });
  const shown = render(TypingMindSection, { instance: unconnected });
  await userEvent.click(screen.getByTestId('typingmind-save'));
  expect(await screen.findByText('Choose the region of the account.')).toBeTruthy();
  await userEvent.selectOptions(screen.getByTestId('typingmind-region'), 'eu');
  await userEvent.type(screen.getByTestId('typingmind-key'), 'tm-123');
  await userEvent.click(screen.getByTestId('typingmind-save'));
  await waitFor(() => expect(toasts.list[0]?.text).toContain('38 users copied'));
  const sent = asks(asked, 'typingmind_connect')[0]?.request as TypingMindConnect;
  expect(sent).toEqual({ instance: 'chat', region: 'eu', key: 'tm-123' });
  expect(screen.getByTestId<HTMLInputElement>('typingmind-key').value).toBe('');

  await shown.rerender({ instance });
  expect(screen.getByTestId('typingmind-state').textContent).toContain('as of just now');
  await userEvent.click(screen.getByTestId('typingmind-remove'));
  await userEvent.click(await screen.findByTestId('typingmind-remove-confirm'));
  await waitFor(() => expect(asks(asked, 'typingmind_disconnect')).toHaveLength(1));
});
