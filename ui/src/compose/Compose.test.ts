import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import {
  answer,
  instanceLike,
  pageLike,
  forecastLike,
  previewLike,
  refuse,
  type Asked,
} from '../../tests/answers';
import { person, requestsOf } from '../../tests/compose';
import type { ComposeRequest, Instance } from '../generated/types';
import { forgetInstance } from '../lib/state/changes';
import { toasts } from '../lib/state/toasts.svelte';
import Compose from './Compose.svelte';
import { composerFor } from './composer.svelte';

/** As the Rust side judges, as far as these tests need it. */
function compose({ who }: ComposeRequest) {
  if (who.kind === 'email' && who.email.endsWith('@')) {
    refuse('invalid_payload', 'The address has no domain.', 'email');
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
  return requestsOf(asked);
}

beforeEach(() => {
  cleanup();
  forgetInstance('your-company');
  revision = 0;
  toasts.list = [];
  asked = answer({ compose, copy: () => ({ clears_in_secs: 60, warning: null }) });
});

describe('before anything is typed', () => {
  it('asks for nothing and says what to do', () => {
    open();
    expect(requests()).toEqual([]);
    expect(screen.getByText('Who should sign in?')).toBeTruthy();
  });

  it('shows no error for a field that is only passed through', async () => {
    open();
    await userEvent.click(person());
    await userEvent.tab();
    expect(screen.queryByTestId('error-person')).toBeNull();
    expect(requests()).toEqual([]);
  });

  it('leads to Settings where there is no secret', () => {
    open(instanceLike({ key: null }));
    expect(screen.getByRole('button', { name: 'Add its secret' })).toBeTruthy();
    expect(screen.queryByLabelText(/^Person/u)).toBeNull();
  });
});

describe('while somebody types', () => {
  it('says how long the person stays signed in', async () => {
    const stay = 'The person stays signed in for 14 days, however soon the link expires.';
    const shown = previewLike();
    answer({ compose: () => ({ ...shown, forecast: forecastLike({ stay }) }) });
    open();
    await userEvent.type(person(), 'ada@yourcompany.com');
    await waitFor(() => expect(screen.getByTestId('forecast').textContent).toContain(stay));
  });

  it('shows the link to the letter', async () => {
    open();
    await userEvent.type(person(), 'ada@yourcompany.com');
    const link = await screen.findByTestId('link');
    expect(link.textContent).toBe(
      'https://chat.yourcompany.com/?externalAuthCode=aGVhZGVy.Y2xhaW1z.c2lnbmF0dXJl#top',
    );
  });

  it('says what is wrong under the field once it is left, and not before', async () => {
    open();
    const field = person();
    await userEvent.type(field, 'ada@');
    await waitFor(() => expect(requests().length).toBeGreaterThan(0));
    expect(screen.queryByTestId('error-person')).toBeNull();
    await userEvent.tab();
    const error = await screen.findByTestId('error-person');
    expect(error.textContent).toBe('The address has no domain.');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(field.getAttribute('aria-describedby')).toBe(error.id);
    expect(screen.getAllByText('The address has no domain.')).toHaveLength(1);
  });

  it('says what is wrong after a pause, too', async () => {
    open();
    await userEvent.type(person(), 'ada@');
    expect(await screen.findByTestId('error-person', {}, { timeout: 3000 })).toBeTruthy();
  });

  it('dims the link that is no longer what is typed, and copies nothing', async () => {
    open();
    const field = person();
    await userEvent.type(field, 'ada@b.co');
    const link = await screen.findByTestId('link');
    expect(link.closest('[inert]')).toBeNull();
    await userEvent.type(field, '{Backspace}{Backspace}{Backspace}{Backspace}');
    await waitFor(() => expect(link.closest('.dimmed')).not.toBeNull());
    await composerFor('your-company').copy('link');
    expect(asked.some(({ name }) => name === 'copy')).toBe(false);
    expect(toasts.list[0]?.text).toContain('Nothing copied');
  });

  it('shows no QR code of a link that is no longer what is typed', async () => {
    open();
    const field = person();
    await userEvent.type(field, 'ada@b.co');
    await screen.findByRole('img', { name: 'QR code of the login link' });
    await userEvent.type(field, '{Backspace}'.repeat('b.co'.length));
    expect(await screen.findByTestId('qr-covered')).toBeTruthy();
    expect(screen.queryByRole('img', { name: 'QR code of the login link' })).toBeNull();
    await userEvent.type(field, 'b.co');
    expect(await screen.findByRole('img', { name: 'QR code of the login link' })).toBeTruthy();
  });

  it('covers the QR code where the answer takes long, and not before', async () => {
    let late: (() => void) | null = null;
    open();
    await userEvent.type(person(), 'ada@b.co');
    await screen.findByRole('img', { name: 'QR code of the login link' });
    answer({
      compose: (request) => new Promise((resolve) => (late = () => resolve(compose(request)))),
    });
    await userEvent.type(person(), 'm');
    expect(screen.getByRole('img', { name: 'QR code of the login link' })).toBeTruthy();
    expect(await screen.findByTestId('qr-covered')).toBeTruthy();
    (late as (() => void) | null)?.();
    expect(await screen.findByRole('img', { name: 'QR code of the login link' })).toBeTruthy();
  });

  it('copies what was typed last, also where its preview is still under way', async () => {
    open();
    await userEvent.type(person(), 'ada@b.co');
    await composerFor('your-company').copy('link');
    const copied = asked.find((one) => one.name === 'copy');
    expect(copied?.request).toMatchObject({ revision, what: 'link' });
    const last = requests().at(-1);
    expect(last?.who).toEqual({ kind: 'email', email: 'ada@b.co' });
    expect(toasts.list.at(-1)?.text).toBe('Link copied. The clipboard is cleared in a minute.');
  });

  it('starts again for a new person', async () => {
    open();
    await userEvent.type(person(), 'ada@b.co');
    await screen.findByTestId('link');
    await userEvent.click(screen.getByRole('radio', { name: 'New person' }));
    await waitFor(() => expect(screen.queryByTestId('link')).toBeNull());
    expect(screen.getByText('Who is the new person?')).toBeTruthy();
  });

  it('takes a text with an @ as an address, unless the person says that it is an ID', async () => {
    open();
    await userEvent.type(person(), 'ada@b.co');
    await waitFor(() => expect(requests().at(-1)?.who).toMatchObject({ kind: 'email' }));
    await userEvent.click(screen.getByRole('checkbox', { name: /^This is an ID/u }));
    await waitFor(() =>
      expect(requests().at(-1)?.who).toEqual({ kind: 'id', id: 'ada@b.co', as_text: false }),
    );
  });

  it('keeps the terms and clears the person for the next one', async () => {
    open();
    await userEvent.type(person(), 'ada@b.co');
    await userEvent.selectOptions(screen.getByLabelText('Works for'), 'never');
    await screen.findByTestId('link');
    await userEvent.keyboard('{Control>}n{/Control}');
    await waitFor(() => expect(screen.queryByTestId('link')).toBeNull());
    expect(person()).toHaveProperty('value', '');
    await waitFor(() => expect(document.activeElement).toBe(person()));
    expect(screen.getByLabelText('Works for')).toHaveProperty('value', 'never');
  });

  it('says on the pressed button that the link is copied', async () => {
    open();
    await userEvent.type(person(), 'ada@b.co');
    const button = await screen.findByRole('button', { name: /^Copy link/u });
    await userEvent.click(button);
    await screen.findByRole('button', { name: 'Copied' });
    expect(await screen.findByRole('button', { name: /^Copy link/u }, { timeout: 4000 })).toBe(
      button,
    );
  });
});

describe('the terms', () => {
  it('are the instance’s own where nothing is chosen', async () => {
    open(instanceLike({ lifetime: '36 hours' }));
    await userEvent.type(person(), 'ada@b.co');
    await waitFor(() => expect(requests().at(-1)?.expires_in).toBe('36 hours'));
  });

  it('offer single use only where people sign in here', async () => {
    open();
    expect(screen.getByLabelText('Can be used').hasAttribute('disabled')).toBe(true);
    cleanup();
    asked = answer({ compose, users: () => pageLike([]) });
    open(instanceLike({ hosted: 'here' }));
    await userEvent.selectOptions(screen.getByLabelText('Can be used'), 'once');
    await userEvent.type(person(), 'ada@b.co');
    await waitFor(() => expect(requests().at(-1)?.uses).toBe(1));
  });

  it('send the end of a new person’s account, and none for an existing person', async () => {
    open(instanceLike({ hosted: 'here' }));
    expect(screen.queryByLabelText(/^Account ends/u)).toBeNull();
    await userEvent.click(screen.getByRole('radio', { name: 'New person' }));
    await userEvent.type(screen.getByRole('textbox', { name: /^ID/u }), 'eve');
    await waitFor(() => expect(requests().at(-1)?.account_ends).toBeNull());
    const ends = screen.getByLabelText(/^Account ends/u);
    await userEvent.selectOptions(ends, 'days');
    const days = screen.getByLabelText('Days after the first sign-in');
    await userEvent.clear(days);
    await userEvent.type(days, '30');
    await waitFor(() => expect(requests().at(-1)?.account_ends).toBe('30 days'));
    // The Rust side refuses 0 days, and says what it takes.
    await userEvent.type(days, ' days');
    await waitFor(() => expect(requests().at(-1)?.account_ends).toBe('0 days'));
    await userEvent.selectOptions(ends, 'date');
    // Without a date there is no link, so that no account is made without its end.
    await waitFor(() => expect(requests().at(-1)?.account_ends).toBe(''));
    await userEvent.type(screen.getByLabelText('Ends on'), '2027-01-31T18:00');
    await waitFor(() => expect(requests().at(-1)?.account_ends).toBe('2027-01-31T18:00'));
    await userEvent.click(screen.getByRole('radio', { name: 'Existing person' }));
    await userEvent.type(person(), 'ada@b.co');
    await waitFor(() => expect(requests().at(-1)?.account_ends).toBeNull());
  });

  it('leave the end of an account out where it would not be enforced', async () => {
    open();
    await userEvent.click(screen.getByRole('radio', { name: 'New person' }));
    expect(screen.queryByLabelText(/^Account ends/u)).toBeNull();
  });

  it('send digits as a number unless it is asked otherwise', async () => {
    open();
    await userEvent.type(person(), '1234');
    await userEvent.click(await screen.findByLabelText(/^Send as text/u));
    await waitFor(() =>
      expect(requests().at(-1)?.who).toEqual({ kind: 'id', id: '1234', as_text: true }),
    );
    await userEvent.type(person(), 'x');
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
    await userEvent.click(screen.getByRole('radio', { name: 'New person' }));
    await userEvent.type(screen.getByRole('textbox', { name: /^ID/u }), 'ada');
    await addField('team', 'a');
    await addField('team', 'b');
    await userEvent.tab();
    const error = await screen.findByTestId('error-metadata.team');
    const names = screen.getAllByRole('textbox', { name: /^Name of field/u });
    expect(names.map((name) => name.getAttribute('aria-describedby'))).toEqual([null, error.id]);
  });

  it('leaves out a row with nothing in it', async () => {
    open();
    await userEvent.click(screen.getByRole('radio', { name: 'New person' }));
    await userEvent.click(screen.getByRole('button', { name: '+ Add a field' }));
    await userEvent.type(screen.getByRole('textbox', { name: /^ID/u }), 'ada');
    await waitFor(() =>
      expect(requests().at(-1)?.who).toMatchObject({
        metadata: { kind: 'fields', fields: [] },
      }),
    );
  });

  it('goes to JSON and back', async () => {
    open();
    await userEvent.click(screen.getByRole('radio', { name: 'New person' }));
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
    await userEvent.click(screen.getByRole('radio', { name: 'New person' }));
    await userEvent.click(screen.getByRole('button', { name: 'Edit as JSON' }));
    const json = screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Metadata as JSON' });
    await userEvent.clear(json);
    await userEvent.type(json, '{{"level": 3}');
    await userEvent.click(screen.getByRole('button', { name: 'Edit as fields' }));
    expect(screen.getByText(/Some values are not texts/u)).toBeTruthy();
    expect(json.isConnected).toBe(true);
  });
});
