import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import {
  answer,
  connectedLike,
  instanceLike,
  lastAsked,
  refuse,
  type Asked,
} from '../../tests/answers';
import type { Instance } from '../generated/types';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import { settingsDrafts } from './drafts.svelte';
import Settings from './Settings.svelte';

let asked: Asked[] = [];
let kept: Instance;

function open() {
  return render(Settings, { instance: kept });
}

beforeEach(() => {
  cleanup();
  kept = instanceLike();
  studio.instances = [kept];
  studio.settingsPart = null;
  settingsDrafts.discard(kept.id);
  toasts.list = [];
  asked = answer({
    automatic_backups: () => ({ on: true, last: null, folder: '/data/backups' }),
    instance_update: ({ settings }) =>
      settings.url.startsWith('https://')
        ? (kept = { ...kept, ...settings })
        : refuse('invalid_url', 'The address has no scheme.', 'url'),
    log_file: () => ({ path: '/data/log' }),
    seats: () => ({ used: 1, limit: null }),
    secret_reveal: () => ({ secret: 'the secret itself' }),
    secret_conceal: () => kept,
  });
});

/** The requests that change or read a secret or a setting. */
const changes = () =>
  asked.filter(
    ({ name }) => !['automatic_backups', 'log_file', 'seats', 'signing_key_links'].includes(name),
  );

describe('the settings of an instance', () => {
  it('are named at the foot of the screen until they are saved', async () => {
    open();
    expect(screen.queryByText(/not saved/u)).toBeNull();
    await userEvent.type(screen.getByRole('textbox', { name: 'Name' }), ' II');
    await userEvent.type(screen.getByRole('textbox', { name: 'Parameter' }), '2');
    const bar = screen.getByText(/2 changes not saved/u);
    expect(bar.textContent).toContain('Name, Parameter');
    await userEvent.keyboard('{Control>}s{/Control}');
    await waitFor(() => expect(kept.name).toBe('Your Company II'));
  });

  it('have the message of links, and whether new links replace older ones', async () => {
    kept = instanceLike({ hosted: 'here' });
    studio.instances = [kept];
    open();
    const message = screen.getByTestId('message');
    await userEvent.clear(message);
    await userEvent.type(message, 'Dear {{name}, {{link}');
    await userEvent.click(screen.getByTestId('supersede'));
    const bar = screen.getByText(/2 changes not saved/u);
    expect(bar.textContent).toContain('Replace older links, Message');
    await userEvent.keyboard('{Control>}s{/Control}');
    await waitFor(() => expect(kept.message).toBe('Dear {name}, {link}'));
    expect(kept.supersede).toBe(true);
  });

  it('let no new link replace older ones where another application decides', () => {
    open();
    expect(screen.queryByTestId('supersede')).toBeNull();
    expect(screen.getByTestId('message')).toBeTruthy();
  });

  it('let links stop replacing older ones when another application is to decide', async () => {
    kept = instanceLike({ hosted: 'here', supersede: true });
    studio.instances = [kept];
    open();
    await userEvent.click(screen.getByRole('radio', { name: 'Elsewhere' }));
    const replace = screen.getByRole('switch', { name: 'Replace older links' });
    await userEvent.click(replace);
    await userEvent.keyboard('{Control>}s{/Control}');
    await waitFor(() => expect(kept.hosted).toBe('elsewhere'));
    expect(kept.supersede).toBe(false);
  });

  it('are not shown as if they were read where the key may not read them', async () => {
    kept = connectedLike();
    kept.connection = kept.connection && { ...kept.connection, settings_read: false };
    studio.instances = [kept];
    answer({
      seats: () => ({ used: 1, limit: null }),
      log_file: () => ({ path: '/data/log' }),
      instance_refresh: () => refuse('scope_missing', 'The key may not do this.'),
    });
    open();
    await screen.findByTestId('settings-unknown');
    const nav = screen.getByRole('navigation', { name: 'Sections' });
    const sections = within(nav).getAllByRole('button');
    expect(sections.map((button) => button.textContent)).toEqual([
      'Name and address',
      'Seats',
      'Remove this instance',
      'Appearance',
      'Help',
    ]);
    expect(screen.queryByRole('textbox', { name: 'Parameter' })).toBeNull();
    expect(toasts.list).toEqual([]);
    await userEvent.click(screen.getByTestId('settings-new-key'));
    expect(screen.getByRole('dialog').textContent).toContain('Use a new key for Acme');
  });

  it('show only the sections that apply where another application decides', () => {
    open();
    const nav = screen.getByRole('navigation', { name: 'Sections' });
    const shown = within(nav)
      .getAllByRole('button')
      .map((button) => button.textContent);
    expect(shown).toEqual([
      'Name and address',
      'Signing key',
      'Codes and links',
      'TypingMind’s users',
      'Remove this instance',
      'Appearance',
      'Help',
    ]);
    expect(screen.queryByRole('heading', { name: 'Seats' })).toBeNull();
  });

  it.each([
    ['here', true],
    ['gateway', false],
    ['elsewhere', false],
  ] as const)('list the backups of an instance that is hosted %s: %s', (hosted, has) => {
    kept = hosted === 'gateway' ? connectedLike() : instanceLike({ hosted });
    studio.instances = [kept];
    open();
    const nav = screen.getByRole('navigation', { name: 'Sections' });
    expect(within(nav).queryByText('Backup and moving') !== null).toBe(has);
    expect(screen.queryByTestId('backup-save') !== null).toBe(has);
  });

  it('open at the section that another screen leads to', async () => {
    studio.open('settings', 'appearance');
    open();
    const heading = screen.getByRole('heading', { name: 'Appearance' });
    await waitFor(() => expect(document.activeElement).toBe(heading));
  });

  it('are saved when that is asked for, all of them, and can be undone', async () => {
    const { rerender } = open();
    const save = () => screen.queryByRole('button', { name: 'Save changes' });
    expect(save()).toBeNull();
    const url = screen.getByRole('textbox', { name: 'Address' });
    await userEvent.clear(url);
    await userEvent.type(url, 'https://chat.example.com/');
    expect(changes()).toEqual([]);
    await userEvent.click(screen.getByRole('button', { name: 'Save changes' }));
    await waitFor(() => expect(kept.url).toBe('https://chat.example.com/'));
    await rerender({ instance: kept });
    await waitFor(() => expect(save()).toBeNull());
    toasts.list[0]?.actions[0]?.run();
    await waitFor(() => expect(kept.url).toBe('https://chat.yourcompany.com/'));
  });

  it('have an idle time-out, and sessions that end with the link', async () => {
    kept = instanceLike({ hosted: 'here' });
    studio.instances = [kept];
    open();
    await userEvent.click(screen.getByRole('switch', { name: 'End with the link' }));
    const idle = screen.getByLabelText(/^Idle time-out/u);
    await userEvent.clear(idle);
    await userEvent.type(idle, '30 minutes');
    await userEvent.click(screen.getByRole('button', { name: 'Save changes' }));
    await waitFor(() => expect(kept.visiting.session_idle).toBe('30 minutes'));
    expect(kept.visiting.session_ends_with_link).toBe(true);
  });

  it('stay edited while another screen is looked at', async () => {
    open();
    await userEvent.type(screen.getByRole('textbox', { name: 'Name' }), ' II');
    cleanup();
    expect(settingsDrafts.unsaved(kept)).toBe(true);
    open();
    expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'Name' }).value).toBe(
      'Your Company II',
    );
    await userEvent.click(screen.getByRole('button', { name: 'Discard' }));
    expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'Name' }).value).toBe(
      'Your Company',
    );
  });

  it('say what was refused at its field', async () => {
    open();
    const url = screen.getByRole('textbox', { name: 'Address' });
    await userEvent.clear(url);
    await userEvent.type(url, 'chat');
    await userEvent.click(screen.getByRole('button', { name: 'Save changes' }));
    expect((await screen.findByTestId('error-url')).textContent).toBe('The address has no scheme.');
    await waitFor(() => expect(document.activeElement).toBe(url));
  });

  it('scroll to the message about a field', async () => {
    const scrolled = vi.spyOn(Element.prototype, 'scrollIntoView');
    open();
    const url = screen.getByRole('textbox', { name: 'Address' });
    await userEvent.clear(url);
    await userEvent.type(url, 'chat');
    await userEvent.click(screen.getByRole('button', { name: 'Save changes' }));
    const message = await screen.findByTestId('error-url');
    await waitFor(() => expect(scrolled).toHaveBeenCalled());
    expect((scrolled.mock.contexts[0] as Element).contains(message)).toBe(true);
  });
});

describe('the signing secret', () => {
  it('is shown when that is asked for, and hidden again', async () => {
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Show once' }));
    expect((await screen.findByTestId('secret-value')).textContent).toBe('the secret itself');
    await userEvent.click(screen.getByRole('button', { name: 'Hide' }));
    await waitFor(() => expect(screen.queryByTestId('secret-value')).toBeNull());
    expect(lastAsked(asked, 'secret_conceal')).toBeDefined();
  });

  it('is hidden where the screen is left', async () => {
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Show once' }));
    await screen.findByTestId('secret-value');
    cleanup();
    await waitFor(() => expect(lastAsked(asked, 'secret_conceal')).toBeDefined());
  });

  it('hides by itself after a minute', async () => {
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Show once' }));
    vi.useFakeTimers();
    // The interval began with the real clock, so it is begun again under the fake one.
    cleanup();
    open();
    screen.getByRole('button', { name: 'Show once' }).click();
    await vi.advanceTimersByTimeAsync(100);
    expect(screen.getByTestId('secret-value')).toBeTruthy();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(screen.queryByTestId('secret-value')).toBeNull();
  });

  it('cannot be shown a second time', () => {
    kept = instanceLike({
      key: {
        id: 'activeKey',
        origin: 'generated',
        set_at: 1_795_300_000,
        warning: null,
        encoding: 'text',
        revealable: false,
      },
    });
    open();
    expect(screen.queryByRole('button', { name: 'Show once' })).toBeNull();
  });

  it('says how it is written where it is not the key itself', async () => {
    const key = kept.key;
    const { rerender } = open();
    const words = screen.getByTestId('secret-status');
    expect(words.textContent).toMatch(/^pasted on /u);
    await rerender({ instance: { ...kept, key: key && { ...key, encoding: 'base64' } } });
    expect(words.textContent).toMatch(/^pasted as base64 on /u);
    await rerender({ instance: { ...kept, key: key && { ...key, encoding: 'hex' } } });
    expect(words.textContent).toMatch(/^pasted as hexadecimal on /u);
  });

  it('is replaced only after the dialog said what stops working', async () => {
    kept = instanceLike({ hosted: 'here' });
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Replace…' }));
    expect(screen.getByText(/^Older links work until /u)).toBeTruthy();
    await userEvent.selectOptions(
      screen.getByLabelText('Links of the old secret still work'),
      'not any more',
    );
    expect(screen.getByText('Older links stop working')).toBeTruthy();
    expect(changes()).toEqual([]);
  });

  it('of an instance elsewhere is replaced there, too, before old links stop working', async () => {
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Replace…' }));
    const words = screen.getByRole('dialog').textContent;
    expect(words).toContain('Replace the secret at chat.yourcompany.com, too');
    expect(words).toContain('Older links still work until it is replaced there.');
    expect(words).not.toContain('stop working');
  });
});
