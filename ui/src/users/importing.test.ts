import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, pageOf, refuse, type Asked } from '../../tests/answers';
import type {
  ImportRow,
  ImportRowsRequest,
  ImportState,
  RowAction,
  UsersRequest,
} from '../generated/types';
import { forgetInstance } from '../lib/state/changes';
import { seats } from '../lib/state/seats.svelte';
import { selection } from '../lib/state/selection.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import { importing } from './importing.svelte';
import Users from './Users.svelte';

const instance = instanceLike({ id: 'here', hosted: 'here' });

const stateLike = (changed: Partial<ImportState> = {}): ImportState => ({
  file: 'people.csv',
  windows_1252: false,
  left_out: [],
  rows: 22,
  counts: { add: 8, change: 0, same: 11, keep: 1, problem: 2 },
  seats: { used: 41, limit: 50 },
  update: false,
  add_removed: false,
  added: 0,
  changed: 0,
  passed: 0,
  ended: false,
  ...changed,
});

const rowLike = (number: number, action: RowAction): ImportRow => ({
  number,
  id: `user-${number}`,
  email: `user-${number}@b.example`,
  name: 'Ada',
  action,
  fields: action === 'keep' ? ['email', 'team', 'floor'] : [],
  again: false,
  suspended: false,
  problem: action === 'problem' ? `The same person as row ${number - 1}.` : null,
});

beforeEach(() => {
  cleanup();
  forgetInstance(instance.id);
  selection.clear(instance.id);
  toasts.list = [];
  importing.file = null;
  importing.problem = null;
  importing.shown = 'all';
  importing.running = false;
  importing.busy = false;
  importing.instance = '';
  seats.take(instance.id, { used: 41, limit: 50 });
  studio.instances = [instance];
  studio.open('users');
});

function open(others: Parameters<typeof answer>[0] = {}): Asked[] {
  const asked = answer({
    users: (request: UsersRequest) => pageOf(request, 47),
    seats: () => ({ used: 41, limit: 50 }),
    import_choose: () => stateLike(),
    import_rows: ({ action, first, limit }: ImportRowsRequest) =>
      Array.from({ length: Math.min(limit, 40) }, (_, at) =>
        rowLike(first + at + 2, action ?? 'add'),
      ),
    import_close: () => null,
    ...others,
  });
  render(Users, { instance });
  return asked;
}

async function chosen(others: Parameters<typeof answer>[0] = {}): Promise<Asked[]> {
  const asked = open(others);
  await userEvent.click(await screen.findByTestId('users-import'));
  await screen.findByTestId('import-table');
  return asked;
}

it('previews a file row by row, with the problems first and the seats that it takes', async () => {
  await chosen();
  const grid = screen.getByRole('grid', { name: 'Rows of the file' });
  expect(grid.getAttribute('aria-rowcount')).toBe('3');
  const [row] = await screen.findAllByTestId('import-row');
  expect(row?.textContent).toContain('To correct');
  expect(row?.textContent).toContain('The same person as row 1.');
  expect(screen.getByTestId('import-seats').textContent).toContain('49 of 50 after the import');
  expect(screen.getByTestId('import-seats').textContent).toMatch(/1\s+stays free/);
  expect(screen.getByTestId('import-run').textContent.trim()).toBe('Add 8 users');
  expect(screen.getByTestId('import-panel').textContent).toMatch(/2\s+rows are left out/);

  await userEvent.click(screen.getByTestId('import-tab-keep'));
  await waitFor(() => expect(grid.getAttribute('aria-rowcount')).toBe('2'));
  await waitFor(() =>
    expect(screen.getAllByTestId('import-row')[0]?.textContent).toContain(
      'Exists, other e-mail, team and 1 more',
    ),
  );
  expect(screen.queryByTestId('import-tab-change')).toBeNull();
});

it('draws only the rows in sight of a hundred thousand', async () => {
  const asked = await chosen({
    import_choose: () =>
      stateLike({
        rows: 100_000,
        counts: { add: 100_000, change: 0, same: 0, keep: 0, problem: 0 },
      }),
  });
  const rows = await screen.findAllByTestId('import-row');
  expect(rows.length).toBeLessThan(60);
  expect(asked.filter(({ name }) => name === 'import_rows').length).toBeLessThan(3);
});

it('plans the file anew when a choice changes', async () => {
  const asked = await chosen({
    import_plan: () =>
      stateLike({ update: true, counts: { add: 8, change: 3, same: 9, keep: 0, problem: 2 } }),
  });
  await userEvent.click(screen.getByRole('switch', { name: 'Change existing users' }));
  await waitFor(() =>
    expect(screen.getByTestId('import-run').textContent.trim()).toBe('Add 8, change 3'),
  );
  expect(asked.find(({ name }) => name === 'import_plan')?.request).toEqual({
    instance: 'here',
    update: true,
    add_removed: false,
  });
});

it('imports batch after batch, says what was done, and shows the imported users', async () => {
  let batch = 0;
  const asked = await chosen({
    import_next: () => {
      batch += 1;
      return stateLike({ added: batch * 4, passed: batch * 11, ended: batch === 3 });
    },
  });
  await userEvent.click(screen.getByTestId('import-run'));
  const show = await screen.findByTestId('import-show');
  expect(screen.getByTestId('import-result').textContent).toBe('12 users added.');
  expect(batch).toBe(3);
  await userEvent.click(show);
  await screen.findByTestId('users-table');
  const pages = asked.filter(({ name }) => name === 'users');
  await waitFor(() =>
    expect((pages.at(-1)?.request as UsersRequest).query.origin ?? 'import').toBe('import'),
  );
  expect(asked.some(({ name }) => name === 'import_close')).toBe(true);
});

it('stops after the batch that is under way, and says that it stays', async () => {
  let go: (state: ImportState) => void = () => undefined;
  const asked = await chosen({
    import_next: () => new Promise<ImportState>((resolve) => (go = resolve)),
  });
  await userEvent.click(screen.getByTestId('import-run'));
  const cancel = await screen.findByTestId('import-cancel');
  // Nobody leaves a running import by mistake.
  expect(screen.queryByTestId('screen-back')).toBeNull();
  await userEvent.click(cancel);
  go(stateLike({ added: 4, passed: 9 }));
  await screen.findByTestId('import-go-on');
  expect(screen.getByTestId('import-panel').textContent).toContain('Stopped');
  expect(screen.getByTestId('import-panel').textContent).toContain('What was imported stays.');
  expect(asked.filter(({ name }) => name === 'import_next').length).toBe(1);
});

it('keeps what was done and offers the rest when a batch fails', async () => {
  await chosen({ import_next: () => refuse('busy', 'Another change takes long.') });
  await userEvent.click(screen.getByTestId('import-run'));
  const problem = await screen.findByTestId('import-problem');
  expect(problem.textContent).toContain('Another change takes long.');
  expect(screen.getByTestId('import-run')).toBeTruthy();
});

it('says why a file cannot be imported, and leaves the users in sight', async () => {
  open({ import_choose: () => refuse('invalid_import', 'Save it as CSV.') });
  await userEvent.click(await screen.findByTestId('users-import'));
  const refused = await screen.findByTestId('import-refused');
  expect(refused.textContent).toContain('Save it as CSV.');
  expect(screen.getByTestId('users-table')).toBeTruthy();
  await userEvent.click(within(refused).getByRole('button', { name: 'Close' }));
  expect(screen.queryByTestId('import-refused')).toBeNull();
});

it('takes a dropped file', async () => {
  const asked = open({ import_dropped: () => stateLike() });
  await screen.findAllByTestId('user-row');
  const file = new File(['id\nada\n'], 'people.csv');
  await fireEvent.drop(window, { dataTransfer: { files: [file], types: ['Files'] } });
  await screen.findByTestId('import-table');
  expect(asked.find(({ name }) => name === 'import_dropped')?.request).toEqual({
    instance: 'here',
    name: 'people.csv',
    base64: btoa('id\nada\n'),
  });
});

it('exports all users or those of the filter', async () => {
  const asked = open({ users_export: () => ({ file: 'users.json', count: 47 }) });
  await screen.findAllByTestId('user-row');
  await userEvent.selectOptions(screen.getByLabelText('Filter'), 'Suspended');
  await waitFor(() => expect(screen.getByTestId('screen-note').textContent).toContain('of'));
  await userEvent.click(screen.getByTestId('users-export'));
  await userEvent.click(await screen.findByTestId('export-shown'));
  await userEvent.click(screen.getByTestId('export-json'));
  await userEvent.click(screen.getByTestId('export-save'));
  await waitFor(() => expect(toasts.list[0]?.text).toBe('47 users are in users.json.'));
  expect(screen.queryByTestId('export-dialog')).toBeNull();
  expect(asked.find(({ name }) => name === 'users_export')?.request).toMatchObject({
    format: 'json',
    query: { status: 'suspended' },
  });
});

/** An answer that is awaited until `arrive` is called. */
function awaited<T>(): { answer: Promise<T>; arrive: (value: T) => void } {
  let arrive: (value: T) => void = () => undefined;
  const answer = new Promise<T>((resolve) => (arrive = resolve));
  return { answer, arrive };
}

it('cancels an export that runs, and closes the dialog with the next click', async () => {
  const { answer: written, arrive } = awaited<{ file: string | null; count: number }>();
  const asked = open({
    users_export: () => written,
    save_cancel: () => {
      arrive({ file: null, count: 0 });
      return null;
    },
  });
  await screen.findAllByTestId('user-row');
  await userEvent.click(screen.getByTestId('users-export'));
  await userEvent.click(await screen.findByTestId('export-save'));
  await userEvent.click(screen.getByTestId('export-cancel'));
  expect(asked.some(({ name }) => name === 'save_cancel')).toBe(true);
  await waitFor(() => expect(screen.getByTestId('export-save').textContent).toContain('Save…'));
  await userEvent.click(screen.getByTestId('export-cancel'));
  expect(screen.queryByTestId('export-dialog')).toBeNull();
});

it('shows no import of another instance while a file is being chosen', async () => {
  const { answer: file, arrive } = awaited<ImportState | null>();
  await chosen();
  answer({ import_choose: () => file, import_close: () => null });
  void importing.choose('other');
  expect(importing.isOpen('other')).toBe(false);
  expect(importing.isOpen(instance.id)).toBe(true);
  arrive(null);
  await waitFor(() => expect(importing.opening).toBeNull());
  expect(importing.isOpen(instance.id)).toBe(true);
});

it('says a refused file at the instance for which it was chosen, and keeps the open import', async () => {
  await chosen();
  answer({ import_choose: () => refuse('invalid_import', 'The file is empty.', 'file') });
  await importing.choose('other');
  expect(importing.refused('other')?.message).toBe('The file is empty.');
  expect(importing.refused(instance.id)).toBeNull();
  expect(importing.isOpen(instance.id)).toBe(true);
  expect(importing.problem).toBeNull();
});

it('does not open a closed import again when its plan arrives late', async () => {
  const { answer: plan, arrive } = awaited<ImportState>();
  await chosen({ import_plan: () => plan });
  const planned = importing.plan(true, false);
  importing.close();
  arrive(stateLike({ update: true }));
  await planned;
  expect(importing.file).toBeNull();
  expect(importing.busy).toBe(false);
});

it('does not open a file whose dialog answers after the import was closed', async () => {
  const { answer: file, arrive } = awaited<ImportState>();
  await chosen();
  const asked = answer({ import_choose: () => file, import_close: () => null });
  const opened = importing.choose(instance.id);
  importing.close();
  arrive(stateLike());
  await opened;
  expect(importing.file).toBeNull();
  // The Rust side forgets the file, too.
  expect(asked.map(({ name }) => name)).toEqual(['import_choose', 'import_close', 'import_close']);
});

it('says that a file is being opened', async () => {
  const { answer: file, arrive } = awaited<ImportState | null>();
  open({ import_choose: () => file });
  await userEvent.click(await screen.findByTestId('users-import'));
  expect((await screen.findByTestId('import-opening')).textContent).toContain('Opening');
  arrive(null);
  await waitFor(() => expect(screen.queryByTestId('import-opening')).toBeNull());
});

it('says in the menu that another import is running', async () => {
  open();
  importing.instance = 'other';
  importing.running = true;
  const entry = await screen.findByTestId<HTMLButtonElement>('users-import');
  await waitFor(() => expect(entry.disabled).toBe(true));
  expect(screen.getByTestId('users-import-blocked').textContent).toBe(
    'An import into another instance is running. Wait for its end.',
  );
});
