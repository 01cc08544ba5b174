import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import {
  answer,
  connectedLike,
  instanceLike,
  lastAsked,
  refuse,
  type Asked,
} from '../../tests/answers';
import type { Instance, RetiringKey } from '../generated/types';
import { clock } from '../lib/state/clock.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import { formatDay } from '../lib/time-format';
import { linksFor } from '../links/list.svelte';
import { broken, depend } from './key-links.svelte';
import { retiresAt } from './retirement';
import SigningSecret from './SigningSecret.svelte';

let kept: Instance;
let asked: Asked[] = [];

/** Returns a time that is some days from now, in Unix seconds. */
function inDays(days: number): number {
  return Math.floor(clock.now().getTime() / 1000) + days * 86_400;
}

function retiringLike(changed: Partial<RetiringKey> = {}): RetiringKey {
  return {
    id: 'oldKey',
    origin: 'generated',
    set_at: 1_795_300_000,
    retires_at: inDays(12),
    ...changed,
  };
}

beforeEach(() => {
  cleanup();
  toasts.list = [];
  kept = instanceLike({ hosted: 'here', retiring: [retiringLike()] });
  studio.instances = [kept];
  asked = answer({
    secret_replace: () => kept,
    signing_key_links: () => [
      {
        key: 'oldKey',
        links: { count: 3, some_never_expire: false, last_expires_at: '2026-12-24T12:00:00Z' },
      },
      { key: 'activeKey', links: { count: 1, some_never_expire: true, last_expires_at: null } },
    ],
    signing_key_retire: ({ key }) => {
      if (key === 'gone') return refuse('unknown_signing_key', 'There is no signing key ‘gone’.');
      kept = { ...kept, retiring: [] };
      return kept;
    },
  });
});

/** Returns what was asked for besides the numbers of links. */
function changes(): Asked[] {
  return asked.filter(({ name }) => name !== 'signing_key_links');
}

function open() {
  return render(SigningSecret, { instance: kept });
}

describe('a retiring key', () => {
  it('is listed with its date and its ID until that date', async () => {
    const { rerender } = open();
    const row = screen.getByTestId('retiring-key');
    expect(row.textContent).toContain(`verifies older links until ${formatDay(inDays(12))}`);
    expect(row.textContent).toContain('oldKey');
    kept = { ...kept, retiring: [retiringLike({ retires_at: inDays(-1) })] };
    await rerender({ instance: kept });
    expect(screen.queryByTestId('retiring-key')).toBeNull();
  });

  it('says which links depend on it and until when', async () => {
    open();
    const words = (await screen.findByTestId('key-links')).textContent;
    expect(words.trim()).toBe('3 links depend on it, the last until 24 Dec 2026.');
    const none = { count: 0, some_never_expire: false, last_expires_at: null };
    expect(depend({ ...none, count: 2, some_never_expire: true })).toContain('not all of them');
    expect(broken({ ...none, count: 1 })).toBe('1 link that still works stops working at once.');
  });

  it('leads to the links that depend on it, from its row and from the dialog', async () => {
    open();
    await userEvent.click(await screen.findByTestId('key-links-show'));
    const list = linksFor(kept.id);
    expect([studio.screen, list.only]).toEqual(['links', { kind: 'key', key: 'oldKey' }]);
    list.only = null;
    studio.open('settings');
    await userEvent.click(screen.getByRole('button', { name: 'Retire the key oldKey…' }));
    const dialog = await screen.findByRole('dialog');
    await userEvent.click(within(dialog).getByRole('button', { name: '3 links' }));
    expect(screen.queryByRole('dialog')).toBeNull();
    expect([studio.screen, list.only]).toEqual(['links', { kind: 'key', key: 'oldKey' }]);
  });

  it('is retired at once only after the dialog said what stops working', async () => {
    open();
    await screen.findByTestId('key-links');
    await userEvent.click(screen.getByRole('button', { name: 'Retire the key oldKey…' }));
    const dialog = await screen.findByRole('dialog');
    expect(dialog.textContent).toContain('3 links that still work stop working at once.');
    expect(changes()).toEqual([]);
    await userEvent.click(within(dialog).getByRole('button', { name: 'Retire now' }));
    await waitFor(() => expect(studio.instances[0]?.retiring).toEqual([]));
    expect(lastAsked(asked, 'signing_key_retire')).toEqual({
      instance: kept.id,
      key: 'oldKey',
      retire_after: 'now',
      leaked: false,
    });
  });

  it('gets another date', async () => {
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Retire the key oldKey…' }));
    await userEvent.selectOptions(screen.getByLabelText('Its links still work'), 'for 7 days');
    const words = screen.getByTestId('retire-consequence').textContent;
    expect(words).toContain(`work until ${formatDay(inDays(7))}`);
    await userEvent.click(screen.getByRole('button', { name: 'Change the date' }));
    await waitFor(() =>
      expect(lastAsked(asked, 'signing_key_retire')).toMatchObject({ retire_after: '7 days' }),
    );
    expect(toasts.list.at(-1)?.text).toBe(`The key retires on ${formatDay(inDays(7))}.`);
  });

  it('that has retired in the meantime is named in the dialog', async () => {
    kept = { ...kept, retiring: [retiringLike({ id: 'gone' })] };
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Retire the key gone…' }));
    await userEvent.click(screen.getByRole('button', { name: 'Retire now' }));
    await screen.findByText('There is no signing key ‘gone’.');
  });
});

describe('a leaked key', () => {
  it('that is active is replaced in the same step, after the dialog said so', async () => {
    open();
    await userEvent.click(screen.getByRole('button', { name: 'The active key has leaked…' }));
    const dialog = await screen.findByRole('dialog');
    expect(dialog.textContent).toContain('stop working at once');
    expect(dialog.textContent).toContain('A generated key becomes active in the same step.');
    expect(changes()).toEqual([]);
    await userEvent.click(within(dialog).getByRole('button', { name: 'Give up the key' }));
    await waitFor(() =>
      expect(lastAsked(asked, 'signing_key_retire')).toMatchObject({
        key: 'activeKey',
        leaked: true,
      }),
    );
  });

  it('that retires makes no new key', async () => {
    open();
    await userEvent.click(screen.getByRole('button', { name: 'The key oldKey has leaked…' }));
    const dialog = await screen.findByRole('dialog');
    expect(dialog.textContent).not.toContain('becomes active');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Give up the key' }));
    await waitFor(() =>
      expect(lastAsked(asked, 'signing_key_retire')).toMatchObject({ key: 'oldKey', leaked: true }),
    );
  });
});

describe('a replaced secret', () => {
  it('lets older links work for 30 days, unless another time is chosen', async () => {
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Replace…' }));
    await userEvent.click(screen.getByTestId('secret-generate'));
    await userEvent.click(screen.getByRole('button', { name: 'Replace secret' }));
    await waitFor(() =>
      expect(lastAsked(asked, 'secret_replace')).toMatchObject({ retire_after: '30 days' }),
    );
    expect(toasts.list.at(-1)?.text).toBe(
      `Secret replaced. Older links work until ${formatDay(inDays(30))}.`,
    );
  });

  it('of an instance on a server is rotated there in the same way', async () => {
    kept = connectedLike({ retiring: [retiringLike()] });
    studio.instances = [kept];
    open();
    expect(screen.getByTestId('retiring-key')).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Replace…' }));
    await userEvent.click(screen.getByTestId('secret-generate'));
    await userEvent.selectOptions(screen.getByTestId('replace-overlap'), 'not any more');
    await userEvent.click(screen.getByRole('button', { name: 'Replace secret' }));
    await waitFor(() =>
      expect(lastAsked(asked, 'secret_replace')).toMatchObject({ retire_after: 'now' }),
    );
  });

  it('of an instance elsewhere has no time, and its key is not retired here', async () => {
    kept = instanceLike();
    studio.instances = [kept];
    open();
    expect(screen.queryByRole('button', { name: 'The active key has leaked…' })).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Replace…' }));
    expect(screen.queryByTestId('replace-overlap')).toBeNull();
    await userEvent.click(screen.getByTestId('secret-generate'));
    await userEvent.click(screen.getByRole('button', { name: 'Replace secret' }));
    await waitFor(() =>
      expect(lastAsked(asked, 'secret_replace')).toMatchObject({ retire_after: null }),
    );
  });
});

it('computes the retirement date from the chosen time', () => {
  expect(retiresAt('7 days', new Date(0))).toBe(7 * 86_400);
  expect(retiresAt('now', new Date(0))).toBeNull();
});
