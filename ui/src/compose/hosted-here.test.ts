import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import {
  answer,
  instanceLike,
  pageLike,
  forecastLike,
  previewLike,
  runningLike,
  userLike,
  type Asked,
} from '../../tests/answers';
import { person, requestsOf } from '../../tests/compose';
import { actions } from '../app/actions';
import type { Forecast, GatewayState, Remedy, User } from '../generated/types';
import { adding } from '../lib/state/add-user.svelte';
import { forgetInstance } from '../lib/state/changes';
import { gateway } from '../lib/state/gateway.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Compose from './Compose.svelte';
import { composerFor } from './composer.svelte';

/** Where people sign in at the gateway of this computer. */
const here = instanceLike({
  hosted: 'here',
  url: 'http://localhost:4711/',
  is_loopback: true,
});
const signsIn = forecastLike({ title: 'Signs in ada', verdict: 'signed_in' });
let revision = 0;
let asked: Asked[] = [];
let forecast: Forecast = signsIn;
let remedies: Remedy[] = [];
let people: User[] = [];
let state: GatewayState = { running: null, others: [], addresses: [] };

async function openHere(instance = here) {
  asked = answer({
    compose: (request) =>
      previewLike({
        revision: (revision += 1),
        uses: request.uses,
        forecast,
        remedies,
      }),
    copy: () => ({ clears_in_secs: 60, warning: null }),
    gateway: () => state,
    gateway_start: ({ instance }) => (state = { ...state, running: runningLike({ instance }) }),
    seats: () => ({ used: 1, limit: null }),
    users: () => pageLike(people),
  });
  await gateway.refresh();
  render(Compose, { instance });
  await userEvent.type(person(), 'ada@b.co');
  await screen.findByTestId(forecast.tone === 'refused' ? 'details' : 'link');
}

const mark = (name: string) => screen.findByRole('img', { name });

beforeEach(() => {
  cleanup();
  forgetInstance(here.id);
  toasts.list = [];
  revision = 0;
  forecast = signsIn;
  remedies = [];
  people = [];
  state = { running: null, others: [], addresses: [{ ip: '127.0.0.1', interface: null }] };
  gateway.known = false;
});

it('is amber while the gateway is closed, and starts it', async () => {
  await openHere();
  await mark('Works with a condition');
  expect(screen.getByTestId('forecast').textContent).toContain('Signs in ada');
  expect(screen.getByTestId('gateway-closed').textContent).toContain(
    'The link will not open until it is started',
  );
  await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
  await mark('Works');
  expect(screen.queryByTestId('gateway-closed')).toBeNull();
  expect(asked.find(({ name }) => name === 'gateway_start')?.request).toMatchObject({
    instance: here.id,
  });
});

it('is amber where links lead to another address of this computer than the gateway', async () => {
  state = { ...state, running: runningLike({ url: 'http://127.0.0.1:4712/' }) };
  await openHere();
  await mark('Works with a condition');
  const said = 'They lead to http://localhost:4711. Only a proxy there brings visitors here';
  expect(screen.getByTestId('gateway-lost').textContent).toContain(said);
});

it('is green where links lead to another computer, whose proxy may bring visitors here', async () => {
  const proxied = { ...here, url: 'https://chat.acme.example/', is_loopback: false };
  state = { ...state, running: runningLike({ url: 'http://127.0.0.1:4712/' }) };
  await openHere(proxied);
  await mark('Works');
  expect(screen.queryByTestId('gateway-lost')).toBeNull();
});

it('does not say so of what is refused, nor where another program has the users', async () => {
  forecast = { ...signsIn, tone: 'refused', verdict: 'no_seats', title: 'Refused: no seats' };
  await openHere();
  await mark('Refused');
  expect(screen.queryByTestId('gateway-closed')).toBeNull();
  forecast = { ...signsIn, verdict: null, title: 'Verifies, expires in 7 days' };
  await userEvent.type(person(), 'm');
  await screen.findByText('Verifies, expires in 7 days');
  expect(screen.queryByTestId('gateway-closed')).toBeNull();
});

it('says that older links stop working where that is set for the instance', async () => {
  await openHere({ ...here, supersede: true });
  const older = screen.getByTestId<HTMLSelectElement>('older-links');
  expect([older.value, older.disabled]).toEqual(['stop', true]);
  expect(older.closest('[data-field]')?.textContent).toContain('Set for the instance.');
});

it('says that nothing was saved if nothing was', async () => {
  forecast = { ...signsIn, tone: 'refused', verdict: 'no_seats' };
  await openHere();
  await composerFor(here.id).saveQr('png');
  expect(toasts.list.at(-1)?.text).toBe('Nothing saved. This link would sign nobody in.');
  await composerFor(here.id).takeQr();
  expect(toasts.list.at(-1)?.text).toBe('Nothing shown. This link would sign nobody in.');
});

it('offers people whose name, e-mail or ID has the typed text in it', async () => {
  people = [userLike({ id: 'marek', name: 'Marek Novotný', status: 'suspended' })];
  await openHere();
  await userEvent.clear(person());
  await userEvent.type(person(), 'mar');
  const row = await screen.findByRole('option', { name: /Marek Novotný.*Suspended/u });
  await userEvent.keyboard('{ArrowDown}');
  expect(person().getAttribute('aria-activedescendant')).toBe(row.id);
  await userEvent.keyboard('{Enter}');
  expect(person()).toHaveProperty('value', 'marek');
  expect(screen.queryByRole('listbox')).toBeNull();
  await waitFor(() =>
    expect(requestsOf(asked).at(-1)?.who).toEqual({ kind: 'id', id: 'marek', as_text: false }),
  );
});

it('makes a new person of the typed text', async () => {
  await openHere();
  await userEvent.clear(person());
  await userEvent.type(person(), 'Ada Okafor');
  await userEvent.click(await screen.findByRole('option', { name: /^New person/u }));
  expect(screen.getByRole('textbox', { name: /^Name/u })).toHaveProperty('value', 'Ada Okafor');
  expect(screen.getByRole('textbox', { name: /^ID/u })).toHaveProperty('value', 'ada.okafor');
  await waitFor(() =>
    expect(requestsOf(asked).at(-1)?.who).toMatchObject({ kind: 'user', id: 'ada.okafor' }),
  );
});

it('shows neither link nor QR code nor button to copy of a link that is refused', async () => {
  forecast = { ...signsIn, tone: 'refused', verdict: 'user_suspended', user: 'ada' };
  remedies = [{ kind: 'show_user', user: 'ada' }];
  await openHere();
  expect(screen.queryByTestId('link')).toBeNull();
  expect(screen.queryByRole('img', { name: 'QR code of the login link' })).toBeNull();
  expect(screen.queryByRole('button', { name: /^Copy/u })).toBeNull();
  expect(screen.getByRole('button', { name: 'Show the user' })).toBeTruthy();
});

it('copies nothing of a link that is refused, also by the keyboard and the palette', async () => {
  forecast = { ...signsIn, tone: 'refused', verdict: 'no_seats' };
  await openHere();
  expect(actions(here, () => undefined).filter(({ id }) => id.startsWith('copy'))).toEqual([]);
  await composerFor(here.id).copy('link');
  expect(asked.some(({ name }) => name === 'copy')).toBe(false);
  expect(toasts.list.at(-1)?.text).toBe('Nothing copied. This link would sign nobody in.');
});

it.each<[string, Remedy, string, string, string | null]>([
  ['is suspended', { kind: 'show_user', user: 'ada' }, 'Show the user', 'users', null],
  ['finds no seat', { kind: 'seat_limit' }, 'Change the seat limit', 'settings', 'seats'],
  ['finds no seat', { kind: 'show_users' }, 'Show the users', 'users', null],
  [
    'may not be created',
    { kind: 'sign_in_rules' },
    'Change the sign-in rules',
    'settings',
    'rules',
  ],
])('leads from a person who %s to what corrects it', async (_, remedy, name, target, part) => {
  forecast = { ...signsIn, tone: 'refused', verdict: null };
  remedies = [remedy];
  await openHere();
  await userEvent.click(screen.getByRole('button', { name }));
  expect([studio.screen, studio.settingsPart]).toEqual([target, part]);
});

it('opens the dialog for a new user with what is typed about an unknown one', async () => {
  forecast = { ...signsIn, tone: 'refused', verdict: 'unknown_user' };
  remedies = [{ kind: 'new_person' }, { kind: 'add_user' }];
  await openHere();
  await userEvent.click(screen.getByRole('button', { name: 'Add the user…' }));
  expect(studio.screen).toBe('users');
  expect(adding).toEqual({ open: true, known: { email: 'ada@b.co' } });
  adding.open = false;
});

it('makes an unknown person a new one', async () => {
  forecast = { ...signsIn, tone: 'refused', verdict: 'unknown_user' };
  remedies = [{ kind: 'new_person' }, { kind: 'add_user' }];
  await openHere();
  await userEvent.click(screen.getByRole('button', { name: 'Make it a new person' }));
  expect(screen.getByRole('textbox', { name: /^E-mail/u })).toHaveProperty('value', 'ada@b.co');
});

it('says that a single-use code was used, and makes another one only when asked', async () => {
  await openHere();
  await userEvent.selectOptions(screen.getByLabelText('Can be used'), 'once');
  await waitFor(() => expect(requestsOf(asked).at(-1)?.uses).toBe(1));
  const used = 'Refused: the link was used already';
  const detail = 'Somebody has signed in with it. Make a new one.';
  forecast = { ...signsIn, tone: 'refused', verdict: 'link_already_used', title: used, detail };
  remedies = [{ kind: 'new_link' }];
  composerFor(here.id).live.refresh();
  await screen.findByText(used);
  expect(screen.getByTestId('forecast').textContent).toContain(detail);
  expect(screen.queryByRole('img', { name: 'QR code of the login link' })).toBeNull();
  expect(screen.queryByRole('button', { name: /^Copy/u })).toBeNull();
  expect(screen.queryByTestId('link')).toBeNull();
  await composerFor(here.id).copy('link');
  expect(asked.some(({ name }) => name === 'copy')).toBe(false);
  expect(requestsOf(asked).some(({ anew }) => anew)).toBe(false);

  forecast = signsIn;
  await userEvent.click(screen.getByRole('button', { name: 'Make a new link' }));
  expect(await screen.findByRole('img', { name: 'QR code of the login link' })).toBeTruthy();
  expect(
    requestsOf(asked)
      .map(({ anew }) => anew)
      .filter(Boolean),
  ).toEqual([true]);
  expect(requestsOf(asked).at(-1)?.anew).toBe(true);
});
