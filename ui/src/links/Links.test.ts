import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import {
  answer,
  connectedLike,
  instanceLike,
  lastAsked,
  linkDetailsLike,
  linkLike,
  linksOf,
  refuse,
  type Asked,
} from '../../tests/answers';
import { composerFor } from '../compose/composer.svelte';
import type { Instance, IssuedLink, LinksRequest, TypingMindUser } from '../generated/types';
import { activityChanges, forgetInstance } from '../lib/state/changes';
import { lost } from '../lib/state/lost.svelte';
import { linkSelection, selection } from '../lib/state/selection.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import { formatMoment } from '../lib/time-format';
import Links from './Links.svelte';
import { linksFor, showLinks } from './list.svelte';

const instance = instanceLike({ id: 'here', hosted: 'here' });
const elsewhere = instanceLike({ id: 'elsewhere', hosted: 'elsewhere' });
const COUNTS = { not_used: 12, in_use: 9, used_up: 281, expired: 60, revoked: 20, superseded: 4 };

/** The link that `link` tells of. */
let link: IssuedLink;

beforeEach(() => {
  cleanup();
  for (const { id } of [instance, elsewhere]) forgetInstance(id);
  toasts.list = [];
  link = linkLike();
  studio.open('links');
});

function open(
  total = 250,
  others: Parameters<typeof answer>[0] = {},
  shown: Instance = instance,
): Asked[] {
  studio.instances = [shown];
  const asked = answer({
    links: (request) => linksOf(request, total),
    link_counts: () => COUNTS,
    link: () => linkDetailsLike(link),
    links_revoke: () => null,
    link_copy: () => ({ clears_in_secs: 60, warning: null }),
    ...others,
  });
  render(Links, { instance: shown });
  return asked;
}

const pages = (asked: Asked[]): LinksRequest[] =>
  asked.filter(({ name }) => name === 'links').map(({ request }) => request as LinksRequest);

const row = (id: string) => document.querySelector<HTMLElement>(`[data-link-id="${id}"]`);

async function openPanel(): Promise<HTMLElement> {
  await userEvent.click(await waitFor(() => row('link-0') ?? refuse('none', 'no row')));
  return await screen.findByTestId('link-panel');
}

it('shows the links and how many there are, and draws no more than are in sight', async () => {
  open(1_000_000, {
    link_counts: () => ({ ...COUNTS, not_used: 999_626 }),
  });
  await waitFor(() => expect(screen.getByTestId('screen-note').textContent).toBe('1,000,000'));
  const cells = [...(row('link-0')?.children ?? [])].map(({ textContent }) => textContent.trim());
  expect(cells[0]).toBe('Not used');
  expect(cells[1]).toBe('Ada Okafor ada');
  expect(cells[2]).toContain('in Studio');
  expect(cells[3]).toBe('0 of 3');
  expect(screen.getAllByTestId('link-row').length).toBeLessThan(60);
});

it('filters by state, where each state has its count, and sorts from the latest', async () => {
  const asked = open();
  await screen.findAllByTestId('link-row');
  expect(pages(asked)[0]?.query).toMatchObject({ sort_by: 'entered', descending: true });
  const expired = screen.getByTestId('links-tab-expired');
  await waitFor(() => expect(expired.textContent).toMatch(/Expired\s+60/u));
  await userEvent.click(expired);
  await waitFor(() => expect(pages(asked).at(-1)?.query.status).toBe('expired'));
  expect(expired.getAttribute('aria-pressed')).toBe('true');
  await userEvent.click(screen.getByTestId('links-tab-revoked'));
  await waitFor(() => expect(pages(asked).at(-1)?.query.status).toBe('revoked'));
  await userEvent.click(screen.getByRole('button', { name: 'ended' }));
  await waitFor(() =>
    expect(pages(asked).at(-1)?.query).toMatchObject({ sort_by: 'expires', descending: true }),
  );
});

it('shows the links of one person or key alone, until that is removed', async () => {
  showLinks(instance.id, { kind: 'person', user: 'ada' });
  const asked = open();
  await screen.findAllByTestId('link-row');
  expect(pages(asked)[0]?.query).toMatchObject({ search: '', user: 'ada', key: null, works: null });
  expect(screen.getByTestId('links-only').textContent).toContain('Only links of ada');
  // The numbers are those of all links.
  expect(screen.getByTestId('links-tab-expired').textContent).not.toMatch(/\d/u);
  await userEvent.click(screen.getByTestId('links-tab-expired'));
  await waitFor(() =>
    expect(pages(asked).at(-1)?.query).toMatchObject({ user: 'ada', status: 'expired' }),
  );
  await userEvent.click(screen.getByRole('button', { name: 'Show the links of everybody' }));
  await waitFor(() =>
    expect(pages(asked).at(-1)?.query).toMatchObject({ user: null, status: 'expired' }),
  );
  expect(screen.queryByTestId('links-only')).toBeNull();
  expect(document.activeElement).toBe(screen.getByTestId('links-table'));
  showLinks(instance.id, { kind: 'key', key: 'oldKey' });
  expect((await screen.findByTestId('links-only')).textContent).toContain('the key oldKey');
  linksFor(instance.id).ask();
  await waitFor(() =>
    expect(pages(asked).at(-1)?.query).toMatchObject({ key: 'oldKey', works: true, status: null }),
  );
});

it('is empty in three ways, each with the next step', async () => {
  open(0, { link_counts: () => ({ ...COUNTS, not_used: 0 }) });
  expect((await screen.findByTestId('links-empty')).textContent).toContain('Compose a link');
  await userEvent.type(screen.getByRole('textbox', { name: 'Search links' }), 'zoe');
  await waitFor(() =>
    expect(screen.getByTestId('links-empty').textContent).toContain('has ‘zoe’ in it'),
  );
  await userEvent.click(screen.getByTestId('links-clear'));
  await waitFor(() =>
    expect(screen.getByTestId('links-empty').textContent).toContain('No links yet'),
  );
});

it('says what is wrong, and tries again', async () => {
  let isBroken = true;
  open(3, {
    links: (request) => (isBroken ? refuse('storage', 'The disk is full.') : linksOf(request, 3)),
  });
  expect((await screen.findByTestId('links-problem')).textContent).toContain('The disk is full.');
  isBroken = false;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findAllByTestId('link-row')).toHaveLength(3);
});

it('keeps the rows without a connection, and says so where something cannot be changed', async () => {
  const there = connectedLike();
  open(3, {}, there);
  const panel = await openPanel();
  await within(panel).findByTestId('link-revoke');
  const since = { since: 0, tries: 0, nextAt: null };
  const problem = { code: 'unreachable', message: 'No answer.', field: null } as const;
  lost.set(there.id, { cause: 'unreachable', problem, ...since });
  await waitFor(() =>
    expect(within(panel).getByTestId<HTMLButtonElement>('link-revoke').disabled).toBe(true),
  );
  expect(screen.getAllByTestId('link-row')).toHaveLength(3);
  lost.delete(there.id);
  linkSelection.clear(there.id);
});

it('tells of one link: until when, how many uses are left, to whom, and what became of it', async () => {
  link = linkLike({
    status: 'in_use',
    used: 1,
    note: 'Loan laptop',
    first_use: { at: 1_795_300_500, address: '203.0.113.7', browser: 'Safari' },
    last_use: { at: 1_795_300_500, address: '203.0.113.7', browser: 'Safari' },
  });
  open();
  const panel = await openPanel();
  const standing = await within(panel).findByTestId('link-standing');
  expect(standing.textContent).toMatch(/Works until .*, 2 of 3 uses left/u);
  expect(within(panel).getByTestId('link-parts').querySelectorAll('.used')).toHaveLength(1);
  expect(within(panel).getByTestId('link-note').textContent).toBe('Loan laptop');
  const history = within(panel).getByTestId('link-history').textContent;
  expect(history).toContain('Signed in, use 1 of 3');
  expect(history).toContain('203.0.113.7');
  expect(history).toContain('Given out as a link');
  expect(within(panel).queryByTestId('claims')).toBeNull();
  await userEvent.click(within(panel).getByTestId('link-details'));
  expect(within(panel).getByTestId('claims').textContent).toContain('"ada"');
});

it('follows what becomes of the link while its panel is open', async () => {
  open();
  const panel = await openPanel();
  await within(panel).findByText('Not used');
  link = linkLike({ status: 'used_up', used: 3, ended_at: 1_795_300_900 });
  activityChanges.notify(instance.id);
  await within(panel).findByText('Used up');
  expect(within(panel).queryByTestId('link-copy')).toBeNull();
  expect(within(panel).queryByTestId('link-revoke')).toBeNull();
  expect(within(panel).getByTestId('link-anew')).toBeTruthy();
});

it('says that a link stops when its signing key retires', async () => {
  const retires = { key_retires_at: 1_795_300_900 };
  open(1, { link: () => linkDetailsLike(linkLike(), retires) });
  const said = async () => {
    const shown = await within(await openPanel()).findByTestId('link-standing');
    return shown.textContent.replace(/\s+/g, ' ');
  };
  const until = `Works until ${formatMoment(retires.key_retires_at)}, when its signing key retires`;
  expect(await said()).toContain(`${until}, 3 of 3 uses left`);
  cleanup();
  open(1, { link: () => linkDetailsLike(linkLike({ has_short: true }), retires) });
  expect(await said()).toContain(`${until} and only its short link goes on, `);
});

it('warns when a link is copied again that works longer than its signing key', async () => {
  const warning = {
    code: 'outlives_key',
    message: 'The link is signed with a key that retires.',
  };
  open(1, { link_copy: () => ({ clears_in_secs: 60, warning }) });
  const panel = await openPanel();
  await userEvent.click(await within(panel).findByTestId('link-copy'));
  await waitFor(() => expect(toasts.list[0]?.tone).toBe('warning'));
  expect(toasts.list[0]?.text).toBe(
    `The same link copied again. The clipboard is cleared in a minute. ${warning.message}`,
  );
});

it('copies the same link again, and says why it cannot', async () => {
  const asked = open();
  const panel = await openPanel();
  await userEvent.click(await within(panel).findByTestId('link-copy'));
  await waitFor(() =>
    expect(lastAsked(asked, 'link_copy')).toEqual({
      instance: 'here',
      id: 'link-0',
      what: 'link',
    }),
  );
  await waitFor(() => expect(toasts.list[0]?.text).toContain('The same link copied again.'));
  for (const format of ['PNG', 'SVG']) {
    const name = `Save the QR code as ${format}…`;
    expect(within(panel).getByRole('button', { name })).toBeTruthy();
  }
  await userEvent.click(within(panel).getByTestId('link-copy-message'));
  await waitFor(() => expect(lastAsked(asked, 'link_copy')).toMatchObject({ what: 'message' }));
  cleanup();
  const why = { code: 'not_copyable', message: 'The key is gone.', field: null } as const;
  open(1, { link: () => linkDetailsLike(link, { not_copyable: why }) });
  const other = await screen.findByTestId('link-panel');
  expect((await within(other).findByTestId('link-not-copyable')).textContent).toBe(
    'The key is gone.',
  );
  expect(within(other).queryByTestId('link-copy')).toBeNull();
});

it('makes a link anew with the same person, terms and note', async () => {
  link = linkLike({ note: 'Loan laptop' });
  open();
  const panel = await openPanel();
  await userEvent.click(await within(panel).findByTestId('link-anew'));
  expect(studio.screen).toBe('compose');
  const { draft } = composerFor(instance.id);
  expect(draft.request(instance)).toMatchObject({
    who: { kind: 'id', id: 'ada' },
    expires_in: '7 days',
    uses: 3,
  });
  expect(draft.notes(instance)).toEqual({ note: 'Loan laptop', supersedes: false, short: false });
});

it('revokes after a question that says exactly what happens', async () => {
  const asked = open();
  const panel = await openPanel();
  const button = await within(panel).findByTestId('link-revoke');
  await userEvent.click(button);
  const dialog = await screen.findByRole('dialog');
  expect(dialog.textContent).toContain('signs nobody in');
  expect(dialog.textContent).toContain('cannot be undone');
  await userEvent.click(within(dialog).getByTestId('revoke-sessions'));
  await userEvent.click(within(dialog).getByTestId('revoke-confirm'));
  await waitFor(() =>
    expect(asked.findLast(({ name }) => name === 'links_revoke')?.request).toEqual({
      instance: 'here',
      links: { link: 'link-0', end_sessions: true },
    }),
  );
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
});

it('says that a link had ended before it was revoked', async () => {
  open(250, { links_revoke: () => 'expired' });
  const panel = await openPanel();
  await userEvent.click(await within(panel).findByTestId('link-revoke'));
  await userEvent.click(await screen.findByTestId('revoke-confirm'));
  const said =
    'The link had expired before, so nothing was left to take back. No new link can be asked for with it any more.';
  await waitFor(() => expect(toasts.list[0]?.text).toBe(said));
});

it('exports all links or those of the filter', async () => {
  const asked = open(250, { links_export: () => ({ file: 'links.jsonl', count: 1 }) });
  await screen.findAllByTestId('link-row');
  await userEvent.click(screen.getByTestId('links-tab-expired'));
  await waitFor(() => expect(pages(asked).at(-1)?.query.status).toBe('expired'));
  await userEvent.click(screen.getByTestId('links-export'));
  await userEvent.click(await screen.findByTestId('links-export-shown'));
  await userEvent.click(screen.getByTestId('links-export-json_lines'));
  await userEvent.click(screen.getByTestId('links-export-save'));
  await waitFor(() => expect(toasts.list[0]?.text).toBe('1 link is in links.jsonl.'));
  expect(asked.find(({ name }) => name === 'links_export')?.request).toMatchObject({
    instance: 'here',
    query: { status: 'expired' },
    format: 'json_lines',
  });
});

it('revokes all links that were issued before a time', async () => {
  const asked = open();
  await screen.findAllByTestId('link-row');
  await userEvent.click(screen.getByTestId('links-revoke-before'));
  const dialog = await screen.findByRole('dialog');
  const confirm = within(dialog).getByTestId<HTMLButtonElement>('revoke-confirm');
  expect(confirm.disabled).toBe(true);
  await userEvent.type(within(dialog).getByTestId('revoke-before'), '2026-11-20T09:00');
  await userEvent.click(confirm);
  await waitFor(() =>
    expect(asked.findLast(({ name }) => name === 'links_revoke')?.request).toEqual({
      instance: 'here',
      links: { before: '2026-11-20T09:00', end_sessions: false },
    }),
  );
});

it('invents nothing about an application elsewhere, marks a link as revoked, and says what stops it', async () => {
  const asked = open(1, {}, elsewhere);
  const panel = await openPanel();
  expect((await within(panel).findByTestId('link-standing')).textContent).toContain(
    'use is not reported',
  );
  expect(row('link-0')?.textContent).toContain('not reported');
  expect(
    within(panel).getByText('Given out', { selector: '[data-testid="link-state"]' }),
  ).toBeTruthy();
  expect(screen.queryByTestId('links-tab-used_up')).toBeNull();
  await userEvent.click(within(panel).getByTestId('link-revoke'));
  const dialog = await screen.findByTestId('revoke-elsewhere');
  for (const said of ['does not know this list.', 'Remove the person', 'Change the secret']) {
    expect(dialog.textContent).toContain(said);
  }
  expect(screen.queryByTestId('revoke-sessions')).toBeNull();
  await userEvent.click(screen.getByTestId('revoke-confirm'));
  await waitFor(() =>
    expect(asked.findLast(({ name }) => name === 'links_revoke')?.request).toEqual({
      instance: 'elsewhere',
      links: { link: 'link-0', end_sessions: false },
    }),
  );
  expect(toasts.list[0]?.text).toBe('The link is marked as revoked here.');
  expect(screen.getByTestId('links-tab-revoked').textContent).toContain('Marked');
});

it('leads from a link to the user at TypingMind whom it signs in, if the copy has one', async () => {
  const connected = instanceLike({
    id: 'elsewhere',
    typingmind: { region: 'eu', host: 'api.eu.typingmind.com', key_set_at: 1_795_300_000 },
  });
  // A link that creates a user has a user ID that TypingMind does not tell.
  let there: TypingMindUser | null = null;
  const asked = open(1, { typingmind_user_of_link: () => there }, connected);
  const panel = await openPanel();
  const revoke = async () => {
    await userEvent.click(await within(panel).findByTestId('link-revoke'));
    await waitFor(() =>
      expect(asked.findLast(({ name }) => name === 'typingmind_user_of_link')?.request).toEqual({
        instance: 'elsewhere',
        id: 'link-0',
      }),
    );
  };
  await revoke();
  await screen.findByTestId('revoke-secret');
  expect(screen.queryByTestId('revoke-user')).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  there = { id: '12', email: 'ada@acme.example', created_at: null, groups: [] };
  await revoke();
  await userEvent.click(await screen.findByTestId('revoke-user'));
  expect([studio.screen, selection.of(connected.id)]).toEqual(['users', '12']);
  selection.clear(connected.id);
});

it('closes the panel by Escape, and gives the focus back to the table', async () => {
  open();
  await openPanel();
  await userEvent.keyboard('{Escape}');
  expect(screen.queryByTestId('link-panel')).toBeNull();
  expect(document.activeElement).toBe(screen.getByTestId('links-table'));
});
