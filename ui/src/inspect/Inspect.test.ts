import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import {
  answer,
  inspectionLike,
  instanceLike,
  refuse,
  runningLike,
  type Asked,
} from '../../tests/answers';
import { composerFor, forgetComposer } from '../compose/composer.svelte';
import type {
  InspectRequest,
  Inspection,
  Instance,
  Redeemed,
  Remedy,
  UserProfile,
} from '../generated/types';
import { adding } from '../lib/state/add-user.svelte';
import { gateway } from '../lib/state/gateway.svelte';
import { seats } from '../lib/state/seats.svelte';
import { selection } from '../lib/state/selection.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Inspect from './Inspect.svelte';
import { forgetInspected, inspectedFor } from './inspected.svelte';

const CODE = 'eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjp7ImlkIjoiYWRhIn19.Jm3mW0t2mXW1bQdP5xJ8l0T3';
const LINK = `https://chat.yourcompany.com/?externalAuthCode=${CODE}`;
const ADA: UserProfile = {
  user: {
    id: 'ada',
    name: null,
    email: 'ada@yourcompany.com',
    status: 'active',
    origin: 'link',
    created_at: 1_795_300_000,
    last_sign_in: 1_795_300_000,
    sign_ins: 1,
    profile_as_of: 1_795_300_000,
  },
  metadata_json: '{}',
};
const here = instanceLike({ hosted: 'here' });

let revision = 0;
let asked: Asked[] = [];
/** Members in which the next inspection differs from the default. */
let found: Partial<Inspection> = {};
let redeemed: Redeemed;

/** As the Rust side looks into what it is given, as far as these tests need it. */
function inspect({ source }: InspectRequest): Inspection {
  if (source.kind === 'text' && !source.text.includes('.')) {
    refuse('no_code', 'This is not a code, a link or a widget tag.', 'code');
  }
  const [header = '', claims = '', signature = ''] =
    source.kind === 'text' ? source.text.replace(/^.*=/u, '').split('.') : CODE.split('.');
  return inspectionLike({ revision: (revision += 1), header, claims, signature, ...found });
}

function open(instance: Instance = here) {
  return render(Inspect, { instance });
}

function requests(): InspectRequest[] {
  return asked.filter((one) => one.name === 'inspect').map((one) => one.request);
}

function input(): HTMLTextAreaElement {
  return screen.getByRole('textbox', { name: 'Link, code, tag or text' });
}

async function paste(text = LINK) {
  await userEvent.click(input());
  await userEvent.paste(text);
  await inspectedFor(here.id).settled();
  await screen.findByTestId('inspect-contents');
}

async function openDetails() {
  inspectedFor(here.id).details = true;
  await screen.findByTestId('code-parts');
}

/** Presses *Redeem…* and confirms. */
async function redeem() {
  await userEvent.click(screen.getByRole('button', { name: 'Redeem…' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Redeem' }));
}

/** Returns the data of a drag or a paste. */
function carrying({ text = '', file }: { text?: string; file?: File }) {
  return {
    types: [...(text ? ['text/plain'] : []), ...(file ? ['Files'] : [])],
    files: file ? [file] : [],
    getData: (type: string) => (type === 'text/plain' ? text : ''),
  };
}

function picture(name = 'phone.png', type = 'image/png'): File {
  return new File([new Uint8Array([0x89, 0x50, 0x4e, 0x47])], name, { type });
}

async function choose(file: File) {
  // As the system's dialogue does where somebody asks it for all files.
  await userEvent
    .setup({ applyAccept: false })
    .upload(screen.getByLabelText('Picture of a QR code'), file);
}

beforeEach(() => {
  cleanup();
  forgetInspected(here.id);
  revision = 0;
  gateway.known = false;
  gateway.running = null;
  found = {};
  toasts.list = [];
  redeemed = {
    forecast: {
      tone: 'good',
      title: 'Signed in ada',
      detail: 'The sign-in was recorded.',
      verdict: 'signed_in',
      user: 'ada',
      stay: null,
    },
    user: ADA,
    seats: { used: 8, limit: 10 },
  };
  asked = answer({ inspect, redeem: () => redeemed });
});

describe('before anything is given', () => {
  it('asks for nothing, says what to do, and has the focus in the text area', () => {
    open();
    expect(requests()).toEqual([]);
    expect(screen.getByText('Paste a link, a code or a text with one in it')).toBeTruthy();
    expect(document.activeElement).toBe(input());
    expect(screen.queryByRole('button', { name: 'Clear' })).toBeNull();
  });

  it('takes no focus from where somebody has put it', () => {
    const elsewhere = document.body.appendChild(document.createElement('button'));
    elsewhere.focus();
    open();
    expect(document.activeElement).toBe(elsewhere);
    elsewhere.remove();
  });
});

describe('text', () => {
  it('is inspected as it is pasted', async () => {
    open();
    await paste();
    expect(requests()).toEqual([{ instance: here.id, source: { kind: 'text', text: LINK } }]);
    const forecast = screen.getByTestId('inspect-forecast');
    expect(forecast.getAttribute('role')).toBe('status');
    expect(forecast.textContent).toContain('Signs in ada');
    // The stable name of the verdict is for support.
    expect(forecast.textContent).not.toContain('signed_in');
    expect(screen.getByTestId('inspect-verdict').textContent).toBe('signed_in');
    expect(screen.getByTestId('inspect-contents').textContent).toContain('in 7 days');
    expect(screen.queryByTestId('claims')).toBeNull();
    await openDetails();
    expect(screen.getByTestId('claims').textContent).toContain('in 7 days');
  });

  it('drops the answer to what is no longer there', async () => {
    open();
    await userEvent.click(input());
    await userEvent.paste('a.b.first');
    await userEvent.clear(input());
    await userEvent.paste('a.b.second');
    await inspectedFor(here.id).settled();
    expect(inspectedFor(here.id).shown?.signature).toBe('second');
    await userEvent.clear(input());
    await userEvent.paste('a.b.third');
    await userEvent.clear(input());
    await inspectedFor(here.id).settled();
    expect(inspectedFor(here.id).shown).toBeNull();
    await waitFor(() => expect(screen.getByTestId('inspect-empty')).toBeTruthy());
  });

  it('without a code in it says so, calmly', async () => {
    open();
    await userEvent.type(input(), 'ada');
    expect(await screen.findByText('This is not a code, a link or a widget tag.')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull();
    expect(screen.queryByTestId('claims')).toBeNull();
  });

  it('is kept by Escape, and for when the screen is opened again', async () => {
    const { unmount } = open();
    await paste();
    await userEvent.keyboard('{Escape}');
    unmount();
    open();
    expect(input().value).toBe(LINK);
    await waitFor(() => expect(requests().length).toBe(2));
  });

  it('is inspected again where the instance has changed', async () => {
    const { rerender } = open();
    await paste();
    found = { forecast: { ...inspectionLike().forecast, title: 'Refused: switched off' } };
    await rerender({ instance: { ...here } });
    expect(await screen.findByText('Refused: switched off')).toBeTruthy();
  });

  it('is taken wherever on the screen it is pasted or dropped', async () => {
    open();
    await fireEvent.paste(document.body, { clipboardData: carrying({ text: LINK }) });
    expect(input().value).toBe(LINK);
    await fireEvent.dragEnter(document.body, { dataTransfer: carrying({ text: CODE }) });
    expect(screen.getByTestId('inspect-drop')).toBeTruthy();
    await fireEvent.drop(document.body, { dataTransfer: carrying({ text: CODE }) });
    expect(screen.queryByTestId('inspect-drop')).toBeNull();
    expect(input().value).toBe(CODE);
  });

  it('pasted into another field is left to that field', async () => {
    open();
    const other = document.body.appendChild(document.createElement('input'));
    await fireEvent.paste(other, { clipboardData: carrying({ text: LINK }) });
    expect(requests()).toEqual([]);
    other.remove();
  });
});

describe('a picture', () => {
  it('is sent as base64, and says where the code came from', async () => {
    open();
    await userEvent.type(input(), 'ada');
    await choose(picture());
    const from = await screen.findByText('Read from the picture phone.png');
    expect(from).toBeTruthy();
    expect(requests().at(-1)?.source).toEqual({ kind: 'picture', base64: 'iVBORw==' });
    expect(input().value).toBe('');
    await userEvent.click(screen.getByRole('button', { name: 'Clear' }));
    expect(screen.getByTestId('inspect-empty')).toBeTruthy();
    expect(document.activeElement).toBe(input());
  });

  it('can be dropped', async () => {
    open();
    await fireEvent.dragEnter(document.body, { dataTransfer: carrying({ file: picture() }) });
    await fireEvent.drop(document.body, { dataTransfer: carrying({ file: picture() }) });
    expect(await screen.findByText('Read from the picture phone.png')).toBeTruthy();
  });

  it('can be pasted, also where the text area has the focus', async () => {
    open();
    await fireEvent.paste(input(), { clipboardData: carrying({ file: picture('image.png') }) });
    expect(await screen.findByText('Read from the picture image.png')).toBeTruthy();
  });

  it('that is too large is refused before it is read', async () => {
    open();
    const large = picture('poster.png');
    vi.spyOn(large, 'size', 'get').mockReturnValue(16 * 1024 * 1024 + 1);
    await choose(large);
    expect(await screen.findByText(/poster\.png is larger than 16 MiB/u)).toBeTruthy();
    expect(requests()).toEqual([]);
  });

  it('of any kind goes to the core, which knows the kinds', async () => {
    open();
    await choose(picture('phone.webp', 'image/webp'));
    expect(await screen.findByText('Read from the picture phone.webp')).toBeTruthy();
  });

  it('that is another kind of file is refused', async () => {
    open();
    await choose(picture('phone.pdf', 'application/pdf'));
    expect(await screen.findByText(/phone\.pdf is not a picture/u)).toBeTruthy();
    expect(requests()).toEqual([]);
  });

  it('without a QR code says so and can be cleared', async () => {
    asked = answer({
      inspect: () => refuse('invalid_picture', 'There is no QR code in the picture.'),
    });
    open();
    await choose(picture());
    const forecast = screen.getByTestId('inspect-forecast');
    await waitFor(() => expect(forecast.textContent).toContain('There is no QR code'));
    expect(screen.getByTestId('inspect-from').textContent).toContain('The picture phone.png');
    await userEvent.click(screen.getByRole('button', { name: 'Clear' }));
    expect(forecast.textContent.trim()).toBe('');
  });
});

describe('the clipboard', () => {
  it('is read by its button, and its code is not shown whole', async () => {
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Clipboard' }));
    expect(await screen.findByText('From the clipboard', { selector: '.name' })).toBeTruthy();
    expect(requests().at(-1)?.source).toEqual({ kind: 'clipboard' });
    expect(input().value).toBe('');
    const [, , signature = ''] = CODE.split('.');
    expect(document.body.textContent).not.toContain(signature);
    await openDetails();
    expect(document.body.textContent).not.toContain(signature);
    await userEvent.click(screen.getByRole('button', { name: 'Show all of the code' }));
    expect(screen.getByTestId('code-parts').textContent).toContain(signature);
  });

  it('is asked where a paste carries nothing', async () => {
    open();
    await fireEvent.paste(document.body, { clipboardData: carrying({}) });
    await waitFor(() => expect(requests().at(-1)?.source).toEqual({ kind: 'clipboard' }));
  });

  it('is asked where the key for it leads to no paste', async () => {
    open();
    await fireEvent.keyDown(document.body, { key: 'v', ctrlKey: true });
    await waitFor(() => expect(requests()).toHaveLength(1));
    expect(requests()[0]?.source).toEqual({ kind: 'clipboard' });
    await fireEvent.keyDown(document.body, { key: 'v', ctrlKey: true });
    await fireEvent.paste(document.body, { clipboardData: carrying({ text: LINK }) });
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(requests().map(({ source }) => source.kind)).toEqual(['clipboard', 'text']);
  });

  it('is not read again later, when it may hold something else', async () => {
    found = { found_in: 'qr' };
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Clipboard' }));
    await screen.findByTestId('inspect-contents');
    found = {};
    inspectedFor(here.id).refresh();
    await inspectedFor(here.id).settled();
    expect(requests().at(-1)?.source).toEqual({ kind: 'text', text: CODE });
    expect(inspectedFor(here.id).shown?.found_in).toBe('qr');
  });
});

describe('while the gateway is closed', () => {
  it('a link that would work is amber, and the gateway can be started', async () => {
    asked = answer({
      inspect,
      gateway: () => ({
        running: null,
        others: [],
        addresses: [{ ip: '127.0.0.1', interface: null }],
      }),
      gateway_start: ({ instance }) => ({
        running: runningLike({ instance }),
        others: [],
        addresses: [],
      }),
      seats: () => ({ used: 1, limit: null }),
    });
    await gateway.refresh();
    open();
    await paste();
    await screen.findByRole('img', { name: 'Works with a condition' });
    expect(screen.getByTestId('gateway-closed').textContent).toContain(
      'The link will not open until it is started',
    );
    await userEvent.click(screen.getByRole('button', { name: 'Start the gateway' }));
    await screen.findByRole('img', { name: 'Works' });
  });
});

describe('Redeem', () => {
  it('comes after the verdict, does it once, and looks again', async () => {
    const take = vi.spyOn(seats, 'take');
    open();
    expect(screen.queryByRole('button', { name: 'Redeem…' })).toBeNull();
    await paste();
    await userEvent.click(screen.getByRole('button', { name: 'Redeem…' }));
    expect((await screen.findByTestId('inspect-redeem-about')).textContent).toBe(
      'Signs in ada now, as if the link were opened. The sign-in is recorded.',
    );
    expect(asked.some(({ name }) => name === 'redeem')).toBe(false);
    await redeem();
    const done = await screen.findByTestId('inspect-redeemed');
    expect(done.textContent).toContain('Signed in ada');
    expect(asked.find(({ name }) => name === 'redeem')?.request).toEqual({
      instance: here.id,
      revision: 1,
    });
    expect(take).toHaveBeenCalledWith(here.id, { used: 8, limit: 10 });
    await waitFor(() => expect(inspectedFor(here.id).shown?.revision).toBe(2));
    expect(requests()[1]).toEqual(requests()[0]);
    expect(screen.getByTestId('inspect-redeemed')).toBeTruthy();
  });

  it('says that it creates, and that a link which works once is used up', async () => {
    found = {
      claims_json: '{\n  "single_use": true\n}',
      forecast: { ...inspectionLike().forecast, verdict: 'provisioned' },
    };
    open();
    await paste();
    await userEvent.click(screen.getByRole('button', { name: 'Redeem…' }));
    expect((await screen.findByTestId('inspect-redeem-about')).textContent).toBe(
      'Creates ada, who takes a seat. The link works once, and this uses it up.',
    );
    expect(screen.queryByRole('button', { name: 'Show the user' })).toBeNull();
  });

  it('leaves the focus at what came of it where the link is used up', async () => {
    open();
    await paste();
    found = { forecast: { ...inspectionLike().forecast, verdict: 'link_already_used' } };
    await redeem();
    const done = await screen.findByTestId('inspect-redeemed');
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Redeem…' })).toBeNull());
    await waitFor(() => expect(document.activeElement).toBe(done.parentElement));
  });

  it('never takes another code than the one that was looked at', async () => {
    open();
    await paste();
    inspectedFor(here.id).type('a.b.other');
    await inspectedFor(here.id).redeem();
    expect(asked.some(({ name }) => name === 'redeem')).toBe(false);
    expect(toasts.list[0]?.text).toContain('Nothing redeemed');
  });

  it('says why it was not done', async () => {
    asked = answer({
      inspect,
      redeem: () => refuse('stale_inspection', 'The code has changed in the meantime.'),
    });
    open();
    await paste();
    await redeem();
    const problem = await screen.findByTestId('inspect-redeem-problem');
    expect(problem.textContent).toContain('The code has changed in the meantime.');
  });

  it('is not done by Enter in the text area', async () => {
    open();
    await paste();
    await userEvent.type(input(), '{Enter}');
    await inspectedFor(here.id).settled();
    expect(asked.some(({ name }) => name === 'redeem')).toBe(false);
  });

  it('is not there for what is refused', async () => {
    found = { forecast: { ...inspectionLike().forecast, tone: 'refused', verdict: 'expired' } };
    open();
    await paste();
    expect(screen.queryByRole('button', { name: 'Redeem…' })).toBeNull();
    expect(screen.queryByTestId('inspect-elsewhere')).toBeNull();
  });

  it('is not there where another server decides', async () => {
    found = { forecast: { ...inspectionLike().forecast, verdict: null, user: null } };
    open(instanceLike());
    await paste();
    expect(screen.queryByRole('button', { name: 'Redeem…' })).toBeNull();
    expect(screen.getByTestId('inspect-elsewhere').textContent).toContain(
      'chat.yourcompany.com decides',
    );
    expect(screen.queryByTestId('inspect-verdict')).toBeNull();
  });
});

describe('what cannot be looked at now', () => {
  it('offers to try again', async () => {
    let held = true;
    asked = answer({
      inspect: (request) =>
        held ? refuse('directory_held', 'Another program has the users open.') : inspect(request),
    });
    open();
    await userEvent.click(input());
    await userEvent.paste(LINK);
    const again = await screen.findByRole('button', { name: 'Try again' });
    held = false;
    await userEvent.click(again);
    expect(await screen.findByTestId('inspect-contents')).toBeTruthy();
  });

  it('leads to Settings where there is no secret to check the code with', async () => {
    found = { forecast: { ...inspectionLike().forecast, tone: 'caution', verdict: null } };
    open({ ...here, key: null });
    await paste();
    await userEvent.click(screen.getByRole('button', { name: 'Add the secret…' }));
    expect(studio.screen).toBe('settings');
    expect(screen.queryByRole('button', { name: 'Redeem…' })).toBeNull();
  });

  it('says that claims are not JSON', async () => {
    found = { claims_json: null, header_json: null, times: [] };
    open();
    await paste();
    expect(screen.getByTestId('inspect-not-json')).toBeTruthy();
  });
});

describe('the cause of a refusal', () => {
  const refused = {
    tone: 'refused',
    title: 'Refused',
    detail: '',
    verdict: 'bad_signature',
    user: null,
    stay: null,
  } as const;

  it('leads to the instance that signed the code, and inspects it there', async () => {
    const staging = instanceLike({ id: 'staging', name: 'Staging' });
    studio.instances = [here, staging];
    found = {
      forecast: refused,
      hints: [
        {
          code: 'signed_by_other_instance',
          title: 'The code was made for ‘Staging’',
          message: 'Open it there.',
          next: 'open_instance',
          instance: 'staging',
        },
      ],
    };
    open();
    await paste();
    expect(screen.getByTestId('inspect-cause-signed_by_other_instance').textContent).toContain(
      'made for ‘Staging’',
    );
    await userEvent.click(screen.getByRole('button', { name: /^Inspect it at/u }));
    await inspectedFor('staging').settled();
    expect(requests().at(-1)).toEqual({
      instance: 'staging',
      source: { kind: 'text', text: LINK },
    });
    forgetInspected('staging');
  });

  it('leads to the secret where its form is wrong', async () => {
    found = {
      forecast: refused,
      hints: [
        {
          code: 'secret_is_base64',
          title: 'The secret is in base64',
          message: 'Choose the encoding base64 for it.',
          next: 'replace_secret',
          instance: null,
        },
      ],
    };
    open();
    await paste();
    await userEvent.click(screen.getByRole('button', { name: 'Replace the secret…' }));
    expect([studio.screen, studio.settingsPart]).toEqual(['settings', 'keys']);
  });

  it.each<[Remedy, string, string, string | null]>([
    [{ kind: 'show_user', user: 'ada' }, 'Show the user', 'users', null],
    [{ kind: 'seat_limit' }, 'Change the seat limit', 'settings', 'seats'],
    [{ kind: 'sign_in_rules' }, 'Change the sign-in rules', 'settings', 'rules'],
    [{ kind: 'new_link' }, 'Make a new link for ada', 'compose', null],
    [{ kind: 'new_person' }, 'Make a link for a new person', 'compose', null],
    [{ kind: 'add_user' }, 'Add the user…', 'users', null],
  ])('leads to what corrects it: %o', async (remedy, name, target, part) => {
    found = { forecast: refused, remedies: [remedy] };
    open();
    await paste();
    await userEvent.click(screen.getByRole('button', { name }));
    expect([studio.screen, studio.settingsPart]).toEqual([target, part]);
    adding.open = false;
    forgetComposer(here.id);
  });

  it('names the users among whom an e-mail is shared', async () => {
    const remedies: Remedy[] = ['ada', 'grace'].map((user) => ({ kind: 'show_user', user }));
    found = { forecast: refused, remedies };
    open();
    await paste();
    await userEvent.click(screen.getByRole('button', { name: 'Show grace' }));
    expect(selection.of(here.id)).toBe('grace');
  });

  it('offers a new link once', async () => {
    const cause = { title: '', message: '', next: 'make_link', instance: null } as const;
    found = {
      forecast: refused,
      remedies: [{ kind: 'new_link' }],
      hints: [{ ...cause, code: 'times_in_milliseconds' }],
    };
    open();
    await paste();
    expect(screen.getAllByRole('button', { name: /^Make a new link/u })).toHaveLength(1);
  });

  it('leads to a new link for the same person', async () => {
    found = {
      forecast: refused,
      hints: [
        {
          code: 'times_in_milliseconds',
          title: 'The times in this code are in milliseconds',
          message: 'Divide them by 1,000.',
          next: 'make_link',
          instance: null,
        },
      ],
    };
    open();
    await paste();
    const button = screen.getByRole('button', { name: /^Make a new link/u });
    expect(button.textContent.trim()).toBe('Make a new link for ada');
    await userEvent.click(button);
    const { draft } = composerFor(here.id);
    expect([studio.screen, draft.kind, draft.userId]).toEqual(['compose', 'user', 'ada']);
    forgetComposer(here.id);
  });
});
