import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { answer, instanceLike, type Asked } from '../../../tests/answers';
import App from '../../app/App.svelte';
import AddUser from '../../users/AddUser.svelte';
import { closing } from '../state/closing.svelte';
import { studio } from '../state/studio.svelte';
import { toasts } from '../state/toasts.svelte';

const here = instanceLike({ hosted: 'here' });
let closed = 0;

/** As Esc does in a web view; jsdom has no dialogs. */
function escape() {
  const dialogs = document.querySelectorAll('dialog[open]');
  dialogs.item(dialogs.length - 1).dispatchEvent(new Event('cancel', { cancelable: true }));
}

beforeEach(() => {
  cleanup();
  closed = 0;
  toasts.list = [];
  closing.asked = null;
});

describe('a form in a dialog', () => {
  beforeEach(() => {
    answer({ seats: () => ({ used: 1, limit: null }) });
    render(AddUser, { instance: here, onclose: () => (closed += 1) });
  });

  it('is left by Esc at once while nothing is typed', () => {
    escape();
    expect(closed).toBe(1);
  });

  it('is never thrown away by Esc without asking', async () => {
    const field = screen.getByRole('textbox', { name: /^ID/u });
    await userEvent.type(field, 'ada');
    escape();
    expect(closed).toBe(0);
    const keep = await screen.findByRole('button', { name: 'Keep editing' });
    await waitFor(() => expect(document.activeElement).toBe(keep));
    await userEvent.click(keep);
    expect(screen.queryByRole('button', { name: 'Keep editing' })).toBeNull();
    await waitFor(() => expect(document.activeElement).toBe(field));
    expect((field as HTMLInputElement).value).toBe('ada');

    escape();
    await screen.findByRole('button', { name: 'Keep editing' });
    // Once more is no answer, and what is typed stays.
    escape();
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Keep editing' })).toBeNull());
    expect(closed).toBe(0);

    escape();
    await userEvent.click(await screen.findByRole('button', { name: 'Throw it away' }));
    expect(closed).toBe(1);
  });

  it('is left by Esc where what was typed is deleted again', async () => {
    const field = screen.getByRole('textbox', { name: /^ID/u });
    await userEvent.type(field, 'ada');
    await userEvent.clear(field);
    escape();
    expect(closed).toBe(1);
  });
});

describe('a message', () => {
  it('is shown and announced in the topmost dialog, and behind it when that closes', async () => {
    answer({});
    studio.phase = 'failed';
    render(App);
    toasts.say('Before.');
    const outside = await screen.findByText('Before.');
    expect(outside.closest('dialog')).toBeNull();

    closing.asked = { instance: here.id, people: 0 };
    const dialog = await screen.findByRole('dialog');
    // Its region is there before the message, or it would not be read out.
    const region = within(dialog).getByRole('status', { hidden: true });
    toasts.warn('It did not work.');
    const inside = await screen.findByText('It did not work.');
    expect(region.contains(inside)).toBe(true);
    expect(screen.getAllByTestId('toast')).toHaveLength(1);

    closing.keepOpen();
    await waitFor(() => expect(screen.getByText('It did not work.').closest('dialog')).toBeNull());
  });
});

describe('closing the window while the gateway is open', () => {
  let asked: Asked[] = [];

  beforeEach(() => {
    asked = answer({});
    studio.phase = 'failed';
    studio.instances = [here];
    render(App);
  });

  it.each([
    [0, 'Nobody is signed in there'],
    [1, '1 person is signed in there and loses access'],
    [1234, '1,234 people are signed in there and lose access'],
  ])('says for %i people: %s', async (people, words) => {
    closing.asked = { instance: here.id, people };
    const said = await screen.findByRole('dialog');
    expect(said.textContent).toContain('The gateway of Your Company is open');
    expect(said.textContent).toContain(words);
  });

  it('is done only when that is confirmed', async () => {
    closing.asked = { instance: here.id, people: 3 };
    const keep = await screen.findByRole('button', { name: 'Keep it open' });
    expect(document.activeElement).toBe(keep);
    await userEvent.click(keep);
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(asked).toEqual([]);

    closing.asked = { instance: here.id, people: 3 };
    await userEvent.click(await screen.findByRole('button', { name: 'Stop it and close' }));
    await waitFor(() => expect(asked.map(({ name }) => name)).toEqual(['close']));
  });
});
