import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { answer, instanceLike, lastAsked, refuse, type Asked } from '../../tests/answers';
import type { ChosenBackup } from '../generated/types';
import { newPassphrase } from '../lib/state/new-passphrase.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Welcome from '../start/Welcome.svelte';
import Backups from './Backups.svelte';

const kept = instanceLike({ hosted: 'here' });
const chosen: ChosenBackup = {
  file: 'acme.latchkey',
  name: 'Your Company',
  made_at: '2026-11-26T16:50:28Z',
  users: 2,
  has_keys: true,
};
let asked: Asked[] = [];

function open() {
  return render(Backups, { instance: kept });
}

const button = (name: string) => screen.getByRole('button', { name });

beforeEach(() => {
  cleanup();
  studio.instances = [kept];
  toasts.list = [];
  asked = answer({
    automatic_backups: () => ({ on: true, last: null, folder: '/data/backups' }),
    automatic_backups_set: ({ on }) => ({ on, last: null, folder: '/data/backups' }),
    backup_save: ({ moves }) => ({
      file: 'acme.latchkey',
      commands: moves ? ['latchkey restore acme.latchkey', 'latchkey serve --instance Acme'] : [],
    }),
    backup_command_copy: () => ({ clears_in_secs: 60 }),
    backup_choose: () => chosen,
    backup_restore: ({ passphrase }) =>
      passphrase === 'right'
        ? kept
        : refuse('wrong_passphrase', 'The passphrase does not open the keys.', 'passphrase'),
    instance_select: () => null,
  });
});

describe('backups', () => {
  it('are made every day until they are turned off', async () => {
    open();
    await userEvent.click(await screen.findByRole('switch', { name: 'Make one a day' }));
    await screen.findByText('Off.');
    const request = { instance: 'your-company', on: false };
    expect(lastAsked(asked, 'automatic_backups_set')).toEqual(request);
  });

  it('are written without the key unless a passphrase is chosen for it', async () => {
    open();
    await screen.findByText(/None yet/u);
    await userEvent.click(button('Back up…'));
    await userEvent.click(button('Choose a file…'));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(lastAsked(asked, 'backup_save')).toEqual({
      instance: 'your-company',
      passphrase: null,
      moves: false,
    });
    expect(toasts.list.at(-1)?.text).toBe('acme.latchkey is written.');
    await userEvent.click(button('Back up…'));
    await userEvent.click(screen.getByRole('switch', { name: 'With the signing key' }));
    await userEvent.type(screen.getByTestId('backup-passphrase'), 'correct horse');
    await userEvent.click(button('Choose a file…'));
    expect((await screen.findByTestId('error-passphrase-again')).textContent).toContain('not the');
    await userEvent.type(screen.getByTestId('backup-passphrase-again'), 'correct horse');
    await userEvent.click(button('Choose a file…'));
    await waitFor(() =>
      expect(lastAsked(asked, 'backup_save')).toEqual({
        instance: 'your-company',
        passphrase: 'correct horse',
        moves: false,
      }),
    );
  });

  it('for a server show the commands to run there, each with a button that copies it', async () => {
    open();
    await userEvent.click(button('Move to a server…'));
    await userEvent.type(screen.getByTestId('backup-passphrase'), 'correct horse');
    await userEvent.type(screen.getByTestId('backup-passphrase-again'), 'correct horse');
    await userEvent.click(button('Choose a file…'));
    expect(await screen.findByText('latchkey restore acme.latchkey')).toBeTruthy();
    await userEvent.click(button('Copy latchkey serve --instance Acme'));
    expect(lastAsked(asked, 'backup_command_copy')).toEqual({ number: 1 });
    await userEvent.click(button('Done'));
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('replace an instance only after a switch that says what is lost', async () => {
    open();
    await userEvent.click(button('Restore…'));
    const submit = await screen.findByTestId<HTMLButtonElement>('restore-submit');
    expect(screen.getByTestId('restore-about').textContent).toContain('2 users of Your Company');
    expect(submit.disabled).toBe(true);
    await userEvent.click(screen.getByRole('switch', { name: 'Replace Your Company' }));
    await userEvent.type(screen.getByTestId('restore-passphrase'), 'wrong');
    await userEvent.click(submit);
    expect((await screen.findByTestId('error-passphrase')).textContent).toContain('does not open');
    await userEvent.clear(screen.getByTestId('restore-passphrase'));
    await userEvent.type(screen.getByTestId('restore-passphrase'), 'right');
    await userEvent.click(submit);
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(asked.find(({ name }) => name === 'instance_select')).toBeTruthy();
    expect(toasts.list.at(-1)?.text).toBe('Your Company is restored.');
  });

  it('are restored beside an instance under another name', async () => {
    open();
    await userEvent.click(button('Restore…'));
    const name = await screen.findByTestId('restore-name');
    await userEvent.type(name, ' II');
    await userEvent.type(screen.getByTestId('restore-passphrase'), 'right');
    await userEvent.click(screen.getByTestId('restore-submit'));
    await waitFor(() =>
      expect(asked.find((one) => one.name === 'backup_restore')?.request).toEqual({
        name: 'Your Company II',
        replace: false,
        passphrase: 'right',
      }),
    );
  });

  it('can be restored from the first page, where there is no instance yet', async () => {
    studio.instances = [];
    render(Welcome);
    await userEvent.click(button('Restore a backup…'));
    await userEvent.type(await screen.findByTestId('restore-passphrase'), 'right');
    await userEvent.click(screen.getByTestId('restore-submit'));
    await waitFor(() => expect(studio.instances.map(({ id }) => id)).toEqual([kept.id]));
    expect(studio.current?.id).toBe(kept.id);
  });

  it('with keys ask for a new passphrase for this computer if there is none', async () => {
    studio.instances = [];
    studio.keyStore = { kind: 'sealed_file', state: 'new', reason: null as never };
    render(Welcome);
    await userEvent.click(button('Restore a backup…'));
    await userEvent.type(await screen.findByTestId('restore-passphrase'), 'right');
    await userEvent.click(screen.getByTestId('restore-submit'));
    await waitFor(() => expect(newPassphrase.asked).toBe(true));
    expect(asked.some(({ name }) => name === 'backup_restore')).toBe(false);
    newPassphrase.settle(true);
    await waitFor(() => expect(studio.instances).toHaveLength(1));
    studio.keyStore = { kind: 'keychain', state: 'ready' };
  });
});
