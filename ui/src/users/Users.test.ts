import { cleanup, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { pageLike, pageOf, refuse, userLike, type Asked } from '../../tests/answers';
import { instance, open, profile, ref, reset } from '../../tests/users';
import { composerFor } from '../compose/composer.svelte';
import type { UsersRequest } from '../generated/types';
import { forgetInstance } from '../lib/state/changes';
import { selection } from '../lib/state/selection.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';

beforeEach(reset);

const pages = (asked: Asked[]): UsersRequest[] =>
  asked.filter(({ name }) => name === 'users').map(({ request }) => request as UsersRequest);

const row = (id: string) => document.querySelector<HTMLElement>(`[data-user-id="${id}"]`);

it('shows the users and how many there are, and draws no more than are in sight', async () => {
  open(1_000_000);
  await waitFor(() => expect(screen.getByTestId('screen-note').textContent).toBe('1,000,000'));
  expect(row('user-0')?.textContent).toContain('ada@yourcompany.com');
  expect(screen.getAllByTestId('user-row').length).toBeLessThan(60);
  expect(screen.getByRole('grid', { name: 'Users' }).getAttribute('aria-rowcount')).toBe('1000001');
});

it('names a user by name over ID, and says loudly only who has no seat', async () => {
  const users = [userLike({ id: 'ada', name: 'Ada Okafor' }), userLike({ status: 'suspended' })];
  open(2, { users: () => pageLike(users) });
  const [ada, other] = await screen.findAllByTestId('user-row');
  const cells = [...(ada?.children ?? [])].map(({ textContent }) => textContent.trim());
  expect(cells).toEqual(expect.arrayContaining(['Ada Okafor ada', 'Has a seat']));
  expect(other?.textContent).toContain('Suspended');
});

it('asks for what was typed last, and keeps every letter', async () => {
  const asked = open();
  await screen.findAllByTestId('user-row');
  const input = screen.getByRole<HTMLInputElement>('textbox', { name: 'Search users' });
  await userEvent.type(input, 'lovelace 1815');
  expect(input.value).toBe('lovelace 1815');
  await waitFor(() => expect(row('lovelace 1815-0')).toBeTruthy());
  expect(pages(asked).at(-1)?.query.search).toBe('lovelace 1815');
});

it('goes to the search by a key, and clears it by another', async () => {
  const asked = open();
  await screen.findAllByTestId('user-row');
  await userEvent.keyboard('/');
  await userEvent.keyboard('ab');
  const input = screen.getByRole<HTMLInputElement>('textbox', { name: 'Search users' });
  expect(input.value).toBe('ab');
  await userEvent.keyboard('{Escape}');
  expect(input.value).toBe('');
  await waitFor(() => expect(pages(asked).at(-1)?.query.search).toBe(''));
});

it('filters and sorts, from the newest where it is a time', async () => {
  const asked = open();
  await screen.findAllByTestId('user-row');
  expect(pages(asked)[0]?.query).toMatchObject({ sort_by: 'last_sign_in', descending: true });
  await userEvent.selectOptions(screen.getByLabelText('Filter'), 'Suspended');
  await userEvent.click(screen.getByRole('button', { name: 'E-mail' }));
  await waitFor(() =>
    expect(pages(asked).at(-1)?.query).toMatchObject({
      status: 'suspended',
      origin: null,
      sort_by: 'email',
      descending: false,
    }),
  );
  const header = screen.getByRole('button', { name: 'E-mail' }).closest('[role=columnheader]');
  expect(header?.getAttribute('aria-sort')).toBe('ascending');
  await userEvent.click(screen.getByRole('button', { name: 'E-mail' }));
  await waitFor(() => expect(pages(asked).at(-1)?.query.descending).toBe(true));
  await userEvent.selectOptions(screen.getByLabelText('Filter'), 'Added by hand');
  await waitFor(() =>
    expect(pages(asked).at(-1)?.query).toMatchObject({ status: null, origin: 'added' }),
  );
});

it('goes to the end by key, where it asks for what is there', async () => {
  const asked = open(100_000);
  await screen.findAllByTestId('user-row');
  const table = screen.getByRole('grid', { name: 'Users' });
  table.focus();
  await userEvent.keyboard('{End}');
  // jsdom lays nothing out: the scroll event has to be made.
  table.dispatchEvent(new Event('scroll'));
  await waitFor(() => expect(row('user-99999')).toBeTruthy());
  expect(pages(asked).at(-1)?.place).toEqual({ kind: 'row', row: 99_900 });
});

it('keeps the focus and goes on by key after a click, also where the row is scrolled away', async () => {
  open(100_000);
  await waitFor(() => expect(row('user-2')).toBeTruthy());
  await userEvent.click(row('user-2') ?? document.body);
  const table = screen.getByRole('grid', { name: 'Users' });
  expect(document.activeElement).toBe(table);
  await userEvent.keyboard('{End}');
  table.dispatchEvent(new Event('scroll'));
  await waitFor(() => expect(row('user-2')).toBeNull());
  expect(document.activeElement).toBe(table);
  const active = document.getElementById(table.getAttribute('aria-activedescendant') ?? '');
  expect(Number(active?.dataset['row'])).toBe(99_999);
  table.scrollTop = 0;
  table.dispatchEvent(new Event('scroll'));
  await waitFor(() => expect(table.hasAttribute('aria-activedescendant')).toBe(false));
});

it('closes the panel by key from within', async () => {
  open(3);
  selection.select(instance.id, 'user-0');
  (await screen.findByRole('button', { name: 'Suspend' })).focus();
  await userEvent.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByRole('complementary', { name: /^User /u })).toBeNull());
  expect(document.activeElement).toBe(screen.getByRole('grid', { name: 'Users' }));
});

it('shows a user, and leads to a link', async () => {
  open();
  await waitFor(() => expect(row('user-0')).toBeTruthy());
  await userEvent.click(row('user-0') ?? document.body);
  expect((await screen.findByTestId('user-metadata')).textContent).toContain('Research');
  await userEvent.click(screen.getByRole('button', { name: 'Make a login link' }));
  expect(studio.screen).toBe('compose');
  const { draft } = composerFor(instance.id);
  expect([draft.kind, draft.person]).toEqual(['id', 'user-0']);
});

it('suspends, says what that means, and takes it back', async () => {
  const asked = open(3, {
    user_suspend: () => profile('suspended'),
    user_reactivate: () => profile(),
  });
  selection.select(instance.id, 'user-0');
  await userEvent.click(await screen.findByRole('button', { name: 'Suspend' }));
  await waitFor(() => expect(toasts.list.at(-1)?.text).toContain('takes no seat'));
  expect(asked).toContainEqual({ name: 'user_suspend', request: ref });
  toasts.list.at(-1)?.actions[0]?.run();
  await waitFor(() => expect(asked).toContainEqual({ name: 'user_reactivate', request: ref }));
});

it('names in the head of the first column what it shows and what it sorts by', async () => {
  open(3);
  const head = await screen.findByRole('columnheader', { name: /^Name and\s+ID$/u });
  await userEvent.click(within(head).getByRole('button', { name: 'ID' }));
  await waitFor(() => expect(head.getAttribute('aria-sort')).toBe('ascending'));
});

it('says it aloud where taking it back is refused and the panel is gone', async () => {
  open(3, {
    user_suspend: () => profile('suspended'),
    user_reactivate: () => refuse('no_seats', 'All 10 seats are taken.'),
  });
  selection.select(instance.id, 'user-0');
  await userEvent.click(await screen.findByRole('button', { name: 'Suspend' }));
  const undo = await waitFor(() => {
    const toast = toasts.list.find(({ text }) => text.includes('takes no seat'));
    const action = toast?.actions[0];
    if (!action) throw new Error('nothing to undo yet');
    return action;
  });
  cleanup();
  undo.run();
  await waitFor(() => expect(toasts.list.at(-1)?.text).toBe('user-0: All 10 seats are taken.'));
});

it('says why somebody cannot be reactivated, and where that is changed', async () => {
  open(3, {
    user: () => profile('suspended'),
    user_reactivate: () => refuse('no_seats', 'All 10 seats are taken.'),
  });
  selection.select(instance.id, 'user-0');
  await userEvent.click(await screen.findByRole('button', { name: 'Reactivate' }));
  const problem = await screen.findByTestId('user-problem');
  expect(problem.textContent).toContain('All 10 seats are taken.');
  await userEvent.click(screen.getByRole('button', { name: 'Change the seat limit' }));
  expect([studio.screen, studio.settingsPart]).toEqual(['settings', 'seats']);
});

const ENDED = 1_795_300_000;

it('shows in the table whose account ends or has ended', async () => {
  const ends = userLike({ id: 'eve', ends_at: ENDED });
  const ended = userLike({ id: 'fay', status: 'ended', ends_at: ENDED });
  open(2, { users: () => pageLike([ends, ended]) });
  await waitFor(() => expect(row('eve')?.textContent).toMatch(/Has a seat\s+until/u));
  expect(row('fay')?.textContent).toMatch(/Ended\s+since/u);
});

it('asks before it removes, and says what that means', async () => {
  const asked = open(3);
  selection.select(instance.id, 'user-0');
  await userEvent.click(await screen.findByRole('button', { name: 'Remove…' }));
  expect(asked.some(({ name }) => name === 'user_remove')).toBe(false);
  expect(screen.getByRole('dialog', { name: /^Remove / }).textContent).toContain(
    'The seat is freed.',
  );
  await userEvent.click(screen.getByRole('button', { name: 'Remove user' }));
  await waitFor(() => expect(asked).toContainEqual({ name: 'user_remove', request: ref }));
  await waitFor(() => expect(screen.queryByRole('complementary', { name: /^User /u })).toBeNull());
});

it('edits a profile: sends what was shown and what is wanted, and can take it back', async () => {
  let wrong = true;
  const edited = { ...profile(), metadata_json: '{\n  "team": "Care"\n}' };
  const asked = open(3, {
    user_edit: () =>
      wrong ? refuse('email_in_use', 'That e-mail is of grace.', 'user.email') : edited,
  });
  await userEvent.click(await screen.findByText('user-0'));
  await userEvent.click(await screen.findByTestId('user-edit'));
  const form = screen.getByTestId('user-edit-form');
  expect(within(form).queryByTestId('field-user-id')).toBeNull();
  const team = within(form).getByRole('textbox', { name: 'Value of team' });
  await userEvent.clear(team);
  await userEvent.type(team, 'Care');
  await userEvent.click(screen.getByTestId('user-edit-save'));
  expect((await screen.findByTestId('error-user.email')).textContent).toContain('of grace');
  wrong = false;
  await userEvent.click(screen.getByTestId('user-edit-save'));
  await waitFor(() => expect(screen.queryByTestId('user-edit-form')).toBeNull());
  expect(document.activeElement).toBe(screen.getByTestId('user-edit'));
  expect(screen.getByTestId('user-metadata').textContent).toContain('Care');
  const text = profile().metadata_json;
  const before = { email: 'ada@yourcompany.com', metadata: { kind: 'json', text } };
  const after = {
    email: 'ada@yourcompany.com',
    metadata: { kind: 'fields', fields: [['team', 'Care']] },
  };
  const edits = () => asked.filter(({ name }) => name === 'user_edit');
  expect(edits().at(-1)?.request).toEqual({ ...ref, before, after });
  toasts.list[0]?.actions[0]?.run();
  await waitFor(() =>
    expect(edits().at(-1)?.request).toMatchObject({
      before: { metadata: { text: edited.metadata_json } },
      after: before,
    }),
  );
});

it('leaves the profile as it was by Escape, and closes the panel only by the next one', async () => {
  const asked = open(3);
  await userEvent.click(await screen.findByText('user-0'));
  await userEvent.click(await screen.findByTestId('user-edit'));
  await userEvent.type(screen.getByTestId('field-user-email'), 'x{Escape}');
  expect(screen.queryByTestId('user-edit-form')).toBeNull();
  expect(screen.getByTestId('user-metadata').textContent).toContain('ada@yourcompany.com');
  expect(screen.getByTestId('user-panel')).toBeTruthy();
  expect(asked.some(({ name }) => name === 'user_edit')).toBe(false);
});

it('adds a user, with what is wrong at its field', async () => {
  let wrong = true;
  const asked = open(3, {
    user_add: () =>
      wrong ? refuse('user_exists', 'There is a user ada already.', 'user.id') : profile(),
  });
  await userEvent.click(screen.getByRole('button', { name: 'Add user' }));
  const dialog = screen.getByRole('dialog', { name: 'Add user' });
  expect(dialog.textContent).toContain('3 are left');
  await userEvent.type(screen.getByRole('textbox', { name: /^ID/u }), 'ada');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Add user' }));
  expect((await screen.findByTestId('error-user.id')).textContent).toContain('already');
  wrong = false;
  await userEvent.click(within(dialog).getByRole('button', { name: 'Add user' }));
  await waitFor(() => expect(selection.of(instance.id)).toBe('user-0'));
  expect(asked.find(({ name }) => name === 'user_add')?.request).toMatchObject({ id: 'ada' });
});

it('leads from a user who finds no seat to the seat limit', async () => {
  open(3, { user_add: () => refuse('no_seats', 'All 10 seats are taken.') });
  await userEvent.click(screen.getByRole('button', { name: 'Add user' }));
  const dialog = screen.getByRole('dialog', { name: 'Add user' });
  await userEvent.type(screen.getByRole('textbox', { name: /^ID/u }), 'ada');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Add user' }));
  await userEvent.click(
    await within(dialog).findByRole('button', { name: 'Change the seat limit' }),
  );
  expect([studio.screen, studio.settingsPart]).toEqual(['settings', 'seats']);
});

it('says what is missing: nobody at all, nobody who answers, no directory', async () => {
  open(0);
  expect((await screen.findByTestId('users-empty')).textContent).toContain('No users yet');
  await userEvent.type(screen.getByRole('textbox', { name: 'Search users' }), 'x');
  await waitFor(() => expect(screen.getByTestId('users-empty').textContent).toContain('‘x’'));
  await userEvent.click(screen.getByRole('button', { name: 'Show everybody' }));
  await waitFor(() =>
    expect(screen.getByTestId('users-empty').textContent).toContain('No users yet'),
  );
  cleanup();
  forgetInstance(instance.id);
  open(0, { users: () => refuse('directory_held', 'The directory is in use by another.') });
  expect((await screen.findByTestId('users-problem')).textContent).toContain('in use by another');
});

it('says what has to be mended, and sets times that lie in the future to now', async () => {
  let notices = [
    { code: 'shared_email', message: 'older and younger have one email.' },
    { code: 'times_ahead', message: 'Times lie in the future.' },
  ];
  const asked = open(3, {
    users: (request) => ({ ...pageOf(request, 3), notices }),
    users_correct_times: () => {
      notices = [];
      return null;
    },
  });
  const shown = await screen.findByTestId('users-notices');
  expect(shown.textContent).toContain('older and younger have one email.');
  await userEvent.click(screen.getByRole('button', { name: 'Correct times' }));
  await waitFor(() => expect(screen.queryByTestId('users-notices')).toBeNull());
  expect(asked).toContainEqual({ name: 'users_correct_times', request: { instance: 'here' } });
});
