import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import {
  answer,
  instanceLike,
  previewLike,
  refuse,
  runningLike,
  type Asked,
} from '../../tests/answers';
import type { ComposeRequest, Forecast, GatewayState, Instance } from '../generated/types';
import { gateway } from '../lib/state/gateway.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Compose from './Compose.svelte';
import { compositionFor, forgetComposition } from './composition.svelte';

/** As the Rust side judges, as far as these tests need it. */
function compose({ who }: ComposeRequest) {
  if (who.kind === 'email' && !who.email.includes('@')) {
    refuse('invalid_payload', 'The address has no @.', 'email');
  }
  if (who.kind === 'user' && who.id.trim() === '') {
    refuse('invalid_payload', 'The user ID is empty.', 'user.id');
  }
  if (who.kind === 'user' && who.metadata.kind === 'fields') {
    const names = who.metadata.fields.map(([name]) => name);
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined) {
      refuse('invalid_payload', `'${twice}' stands twice.`, `metadata.${twice}`);
    }
  }
  return previewLike({ revision: (revision += 1) });
}

let revision = 0;
let asked: Asked[] = [];

function open(instance: Instance = instanceLike()) {
  render(Compose, { instance });
}

function requests(): ComposeRequest[] {
  return asked.filter((one) => one.name === 'compose').map((one) => one.request);
}

beforeEach(() => {
  cleanup();
  forgetComposition('your-company');
  revision = 0;
  toasts.list = [];
  asked = answer({ compose, copy: () => ({ clears_in_secs: 60 }) });
});

describe('before anything is typed', () => {
  it('asks for nothing and says what to do', () => {
    open();
    expect(requests()).toEqual([]);
    expect(screen.getByText('Type an email address')).toBeTruthy();
  });

  it('shows no error for a field that is only passed through', async () => {
    open();
    await userEvent.click(screen.getByRole('textbox', { name: 'Email' }));
    await userEvent.tab();
    expect(screen.queryByTestId('error-email')).toBeNull();
    expect(requests()).toEqual([]);
  });

  it('leads to Settings where there is no secret', () => {
    open(instanceLike({ key: null }));
    expect(screen.getByRole('button', { name: 'Add its secret' })).toBeTruthy();
    expect(screen.queryByRole('textbox', { name: 'Email' })).toBeNull();
  });
});

describe('while somebody types', () => {
  it('says how long the person stays signed in', async () => {
    const stay = 'The person stays signed in for 14 days, however soon the link expires.';
    const shown = previewLike();
    answer({ compose: () => ({ ...shown, forecast: { ...shown.forecast, stay } }) });
    open();
    await userEvent.type(screen.getByRole('textbox', { name: 'Email' }), 'ada@yourcompany.com');
    await waitFor(() => expect(screen.getByTestId('forecast').textContent).toContain(stay));
  });

  it('shows the link to the letter', async () => {
    open();
    await userEvent.type(screen.getByRole('textbox', { name: 'Email' }), 'ada@yourcompany.com');
    const link = await screen.findByTestId('link');
    expect(link.textContent).toBe(
      'https://chat.yourcompany.com/?externalAuthCode=aGVhZGVy.Y2xhaW1z.c2lnbmF0dXJl#top',
    );
  });

  it('says what is wrong under the field once it is left, and not before', async () => {
    open();
    const field = screen.getByRole('textbox', { name: 'Email' });
    await userEvent.type(field, 'ada');
    await waitFor(() => expect(requests().length).toBeGreaterThan(0));
    expect(screen.queryByTestId('error-email')).toBeNull();
    await userEvent.tab();
    const error = await screen.findByTestId('error-email');
    expect(error.textContent).toBe('The address has no @.');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(field.getAttribute('aria-describedby')).toBe(error.id);
  });

  it('says what is wrong after a pause, too', async () => {
    open();
    await userEvent.type(screen.getByRole('textbox', { name: 'Email' }), 'ada');
    expect(await screen.findByTestId('error-email', {}, { timeout: 3000 })).toBeTruthy();
  });

  it('dims the link that is no longer what is typed, and copies nothing', async () => {
    open();
    const field = screen.getByRole('textbox', { name: 'Email' });
    await userEvent.type(field, 'ada@b.co');
    const link = await screen.findByTestId('link');
    expect(link.closest('[inert]')).toBeNull();
    await userEvent.type(field, '{Backspace}{Backspace}{Backspace}{Backspace}{Backspace}');
    await waitFor(() => expect(link.closest('.dimmed')).not.toBeNull());
    await compositionFor('your-company').copy('link');
    expect(asked.some(({ name }) => name === 'copy')).toBe(false);
    expect(toasts.list[0]?.text).toContain('Nothing copied');
  });

  it('shows no QR code of a link that is no longer what is typed', async () => {
    open();
    const field = screen.getByRole('textbox', { name: 'Email' });
    await userEvent.type(field, 'ada@b.co');
    await screen.findByRole('img', { name: 'QR code of the login link' });
    await userEvent.type(field, '{Backspace}'.repeat('@b.co'.length));
    expect(await screen.findByTestId('qr-covered')).toBeTruthy();
    expect(screen.queryByRole('img', { name: 'QR code of the login link' })).toBeNull();
    await userEvent.type(field, '@b.co');
    expect(await screen.findByRole('img', { name: 'QR code of the login link' })).toBeTruthy();
  });

  it('covers the QR code where the answer takes long, and not before', async () => {
    let late: (() => void) | null = null;
    open();
    await userEvent.type(screen.getByRole('textbox', { name: 'Email' }), 'ada@b.co');
    await screen.findByRole('img', { name: 'QR code of the login link' });
    answer({
      compose: (request) => new Promise((resolve) => (late = () => resolve(compose(request)))),
    });
    await userEvent.type(screen.getByRole('textbox', { name: 'Email' }), 'm');
    expect(screen.getByRole('img', { name: 'QR code of the login link' })).toBeTruthy();
    expect(await screen.findByTestId('qr-covered')).toBeTruthy();
    (late as (() => void) | null)?.();
    expect(await screen.findByRole('img', { name: 'QR code of the login link' })).toBeTruthy();
  });

  it('copies what was typed last, also where its preview is still under way', async () => {
    open();
    await userEvent.type(screen.getByRole('textbox', { name: 'Email' }), 'ada@b.co');
    await compositionFor('your-company').copy('link');
    const copied = asked.find((one) => one.name === 'copy');
    expect(copied?.request).toEqual({ revision, what: 'link' });
    const last = requests().at(-1);
    expect(last?.who).toEqual({ kind: 'email', email: 'ada@b.co' });
    expect(toasts.list.at(-1)?.text).toBe('Link copied. The clipboard is cleared in a minute.');
  });

  it('starts anew where the kind changes', async () => {
    open();
    await userEvent.type(screen.getByRole('textbox', { name: 'Email' }), 'ada@b.co');
    await screen.findByTestId('link');
    await userEvent.click(screen.getByRole('radio', { name: 'ID' }));
    await waitFor(() => expect(screen.queryByTestId('link')).toBeNull());
    expect(screen.getByText('Type an ID')).toBeTruthy();
  });
});

describe('where people sign in at the gateway of this computer', () => {
  const here = instanceLike({ hosted: 'here', url: 'http://localhost:4711/' });
  const signsIn = { ...previewLike().forecast, title: 'Signs in ada', verdict: 'signed_in' };
  let forecast: Forecast = signsIn;
  let state: GatewayState = { running: null, others: [], addresses: [] };

  async function openHere(instance = here) {
    asked = answer({
      compose: (request) =>
        previewLike({ revision: (revision += 1), single_use: request.single_use, forecast }),
      copy: () => ({ clears_in_secs: 60 }),
      gateway: () => state,
      gateway_start: ({ instance }) => (state = { ...state, running: runningLike({ instance }) }),
      seats: () => ({ used: 1, limit: null }),
    });
    await gateway.refresh();
    open(instance);
    await userEvent.type(screen.getByRole('textbox', { name: 'Email' }), 'ada@b.co');
    await screen.findByTestId('link');
  }

  const tone = () => screen.getByTestId('forecast').querySelector('.banner')?.className;

  beforeEach(() => {
    forecast = signsIn;
    state = { running: null, others: [], addresses: [{ ip: '127.0.0.1', interface: null }] };
    gateway.known = false;
  });

  it('is amber while the gateway is closed, and starts it', async () => {
    await openHere();
    expect(tone()).toContain('caution');
    expect(screen.getByTestId('forecast').textContent).toContain('Signs in ada');
    expect(screen.getByTestId('gateway-closed').textContent).toContain(
      'the link will not open until it is started',
    );
    await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
    await waitFor(() => expect(tone()).toContain('good'));
    expect(screen.queryByTestId('gateway-closed')).toBeNull();
    expect(asked.find(({ name }) => name === 'gateway_start')?.request).toMatchObject({
      instance: here.id,
    });
  });

  it('is amber where links lead to another address of this computer than the gateway', async () => {
    state = { ...state, running: runningLike({ url: 'http://127.0.0.1:4712/' }) };
    await openHere();
    expect(tone()).toContain('caution');
    const said = 'They lead to http://localhost:4711. Only a proxy there brings visitors here';
    expect(screen.getByTestId('gateway-lost').textContent).toContain(said);
  });

  it('is green where links lead to another computer, whose proxy may bring visitors here', async () => {
    const proxied = { ...here, url: 'https://chat.acme.example/' };
    state = { ...state, running: runningLike({ url: 'http://127.0.0.1:4712/' }) };
    await openHere(proxied);
    expect(tone()).toContain('good');
    expect(screen.queryByTestId('gateway-lost')).toBeNull();
  });

  it('does not say so of what is refused, nor where another program has the users', async () => {
    forecast = { ...signsIn, tone: 'refused', verdict: 'no_seats', title: 'Refused: no seats' };
    await openHere();
    expect(tone()).toContain('refused');
    expect(screen.queryByTestId('gateway-closed')).toBeNull();
    forecast = { ...signsIn, verdict: null, title: 'Verifies, expires in 7 days' };
    await userEvent.type(screen.getByRole('textbox', { name: 'Email' }), 'm');
    await screen.findByText('Verifies, expires in 7 days');
    expect(screen.queryByTestId('gateway-closed')).toBeNull();
  });

  it('says that a single-use code was used, and makes another one only when asked', async () => {
    await openHere();
    await userEvent.selectOptions(screen.getByLabelText('Can be used'), 'once');
    await waitFor(() => expect(requests().at(-1)?.single_use).toBe(true));
    const used = 'Refused: the link was used already';
    const detail = 'Somebody has signed in with it. Make a new one.';
    forecast = { ...signsIn, tone: 'refused', verdict: 'link_already_used', title: used, detail };
    compositionFor(here.id).live.refresh();
    await screen.findByText(used);
    const said = screen.getByTestId('forecast').textContent;
    expect(said.match(/make a new/giu)).toEqual(['Make a new']);
    expect(screen.queryByRole('img', { name: 'QR code of the login link' })).toBeNull();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Copy link' }).disabled).toBe(
      true,
    );
    await compositionFor(here.id).copy('link');
    expect(asked.some(({ name }) => name === 'copy')).toBe(false);
    expect(requests().some(({ anew }) => anew)).toBe(false);

    forecast = signsIn;
    await userEvent.click(screen.getByRole('button', { name: 'Make a new link' }));
    expect(await screen.findByRole('img', { name: 'QR code of the login link' })).toBeTruthy();
    expect(
      requests()
        .map(({ anew }) => anew)
        .filter(Boolean),
    ).toEqual([true]);
    expect(requests().at(-1)?.anew).toBe(true);
  });
});

describe('the terms', () => {
  it('are the instance’s own where nothing is chosen', async () => {
    open(instanceLike({ lifetime: '36 hours' }));
    await userEvent.type(screen.getByRole('textbox', { name: 'Email' }), 'ada@b.co');
    await waitFor(() => expect(requests().at(-1)?.expires_in).toBe('36 hours'));
  });

  it('offer single use only where people sign in here', async () => {
    open();
    expect(screen.getByLabelText('Can be used').hasAttribute('disabled')).toBe(true);
    cleanup();
    open(instanceLike({ hosted: 'here' }));
    await userEvent.selectOptions(screen.getByLabelText('Can be used'), 'once');
    await userEvent.type(screen.getByRole('textbox', { name: 'Email' }), 'ada@b.co');
    await waitFor(() => expect(requests().at(-1)?.single_use).toBe(true));
  });

  it('send digits as a number unless it is asked otherwise', async () => {
    open();
    await userEvent.click(screen.getByRole('radio', { name: 'ID' }));
    await userEvent.type(screen.getByRole('textbox', { name: 'ID' }), '1234');
    await userEvent.click(await screen.findByLabelText(/^Send as text/u));
    await waitFor(() =>
      expect(requests().at(-1)?.who).toEqual({ kind: 'id', id: '1234', as_text: true }),
    );
    await userEvent.type(screen.getByRole('textbox', { name: 'ID' }), 'x');
    expect(screen.queryByLabelText(/^Send as text/u)).toBeNull();
  });
});

describe('metadata', () => {
  async function addField(name: string, value: string) {
    await userEvent.click(screen.getByRole('button', { name: '+ Add a field' }));
    await userEvent.keyboard(name);
    await userEvent.tab();
    await userEvent.keyboard(value);
  }

  it('shows at its row that a name stands twice', async () => {
    open();
    await userEvent.click(screen.getByRole('radio', { name: 'New user' }));
    await userEvent.type(screen.getByRole('textbox', { name: 'User ID' }), 'ada');
    await addField('team', 'a');
    await addField('team', 'b');
    await userEvent.tab();
    const error = await screen.findByTestId('error-metadata.team');
    const names = screen.getAllByRole('textbox', { name: /^Name of field/u });
    expect(names.map((name) => name.getAttribute('aria-describedby'))).toEqual([null, error.id]);
  });

  it('leaves out a row with nothing in it', async () => {
    open();
    await userEvent.click(screen.getByRole('radio', { name: 'New user' }));
    await userEvent.click(screen.getByRole('button', { name: '+ Add a field' }));
    await userEvent.type(screen.getByRole('textbox', { name: 'User ID' }), 'ada');
    await waitFor(() =>
      expect(requests().at(-1)?.who).toMatchObject({
        metadata: { kind: 'fields', fields: [] },
      }),
    );
  });

  it('goes to JSON and back', async () => {
    open();
    await userEvent.click(screen.getByRole('radio', { name: 'New user' }));
    await addField('team', 'Research');
    await userEvent.click(screen.getByRole('button', { name: 'Edit as JSON' }));
    const json = screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Metadata as JSON' });
    expect(JSON.parse(json.value)).toEqual({ team: 'Research' });
    await userEvent.click(screen.getByRole('button', { name: 'Edit as fields' }));
    expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'Value of team' }).value).toBe(
      'Research',
    );
  });

  it('says why it stays JSON', async () => {
    open();
    await userEvent.click(screen.getByRole('radio', { name: 'New user' }));
    await userEvent.click(screen.getByRole('button', { name: 'Edit as JSON' }));
    const json = screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Metadata as JSON' });
    await userEvent.clear(json);
    await userEvent.type(json, '{{"level": 3}');
    await userEvent.click(screen.getByRole('button', { name: 'Edit as fields' }));
    expect(screen.getByText(/Some values are not texts/u)).toBeTruthy();
    expect(json.isConnected).toBe(true);
  });
});
