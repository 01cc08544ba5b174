import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
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
import { here, input, inspecting, LINK, paste, requestsOf } from '../../tests/inspect';
import { composerFor } from '../compose/composer.svelte';
import type {
  InspectRequest,
  Inspection,
  Instance,
  Redeemed,
  Remedy,
  UserProfile,
} from '../generated/types';
import { adding } from '../lib/state/add-user.svelte';
import { forgetInstance } from '../lib/state/changes';
import { gateway } from '../lib/state/gateway.svelte';
import { seats } from '../lib/state/seats.svelte';
import { selection } from '../lib/state/selection.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Inspect from './Inspect.svelte';
import { inspectedFor } from './inspected.svelte';

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
    ends_at: null,
  },
  metadata_json: '{}',
};

let asked: Asked[] = [];
/** Members in which the next inspection differs from the default. */
let found: Partial<Inspection> = {};
let inspect: (request: InspectRequest) => Inspection;
let redeemed: Redeemed;

function open(instance: Instance = here) {
  return render(Inspect, { instance });
}

/** Presses *Redeem…* and confirms. */
async function redeem() {
  await userEvent.click(screen.getByRole('button', { name: 'Redeem…' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Redeem' }));
}

beforeEach(() => {
  cleanup();
  forgetInstance(here.id);
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
  inspect = inspecting(() => found);
  asked = answer({ inspect, redeem: () => redeemed });
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
    expect(requestsOf(asked)[1]).toEqual(requestsOf(asked)[0]);
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
    const said =
      'chat.yourcompany.com decides who signs in, and there is no copy of its users here.';
    expect(screen.getByTestId('inspect-elsewhere').textContent).toContain(said);
    expect(screen.queryByTestId('inspect-verdict')).toBeNull();
  });

  it('is not there where TypingMind decides, whose users are copied', async () => {
    const typingmind = { region: 'eu', host: 'api.eu.typingmind.com', key_set_at: 1_795_300_000 };
    open(instanceLike({ typingmind }));
    await paste();
    expect(screen.getByTestId('inspect-elsewhere').textContent.trim()).toBe(
      'chat.yourcompany.com decides who signs in. The code cannot be redeemed here.',
    );
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
    expect(requestsOf(asked).at(-1)).toEqual({
      instance: 'staging',
      source: { kind: 'text', text: LINK },
    });
    forgetInstance('staging');
  });

  it('offers an action once that helps against two causes', async () => {
    found = {
      forecast: refused,
      hints: (['times_in_milliseconds', 'other_host'] as const).map((code) => ({
        code,
        title: code,
        message: 'Make a new link.',
        next: 'make_link',
        instance: null,
      })),
    };
    open();
    await paste();
    await screen.findByTestId('inspect-cause-other_host');
    expect(screen.getAllByRole('button', { name: /^Make a new link/u })).toHaveLength(1);
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
    forgetInstance(here.id);
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
    forgetInstance(here.id);
  });
});
