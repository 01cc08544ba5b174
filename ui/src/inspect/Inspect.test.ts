import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { answer, inspectionLike, refuse, type Asked } from '../../tests/answers';
import { CODE, here, input, inspecting, LINK, paste, requestsOf } from '../../tests/inspect';
import type { Inspection, Instance } from '../generated/types';
import { forgetInstance } from '../lib/state/changes';
import { gateway } from '../lib/state/gateway.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Inspect from './Inspect.svelte';
import { inspectedFor } from './inspected.svelte';

let asked: Asked[] = [];
/** Members in which the next inspection differs from the default. */
let found: Partial<Inspection> = {};

function open(instance: Instance = here) {
  return render(Inspect, { instance });
}

async function openDetails() {
  inspectedFor(here.id).details = true;
  await screen.findByTestId('code-parts');
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
  forgetInstance(here.id);
  gateway.known = false;
  gateway.running = null;
  found = {};
  toasts.list = [];
  asked = answer({ inspect: inspecting(() => found) });
});

describe('before anything is given', () => {
  it('asks for nothing, says what to do, and has the focus in the text area', () => {
    open();
    expect(requestsOf(asked)).toEqual([]);
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
    expect(requestsOf(asked)).toEqual([
      { instance: here.id, source: { kind: 'text', text: LINK } },
    ]);
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
    await waitFor(() => expect(requestsOf(asked).length).toBe(2));
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
    expect(requestsOf(asked)).toEqual([]);
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
    expect(requestsOf(asked).at(-1)?.source).toEqual({ kind: 'picture', base64: 'iVBORw==' });
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
    expect(requestsOf(asked)).toEqual([]);
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
    expect(requestsOf(asked)).toEqual([]);
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
    expect(requestsOf(asked).at(-1)?.source).toEqual({ kind: 'clipboard' });
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
    await waitFor(() => expect(requestsOf(asked).at(-1)?.source).toEqual({ kind: 'clipboard' }));
  });

  it('is asked where the key for it leads to no paste', async () => {
    open();
    await fireEvent.keyDown(document.body, { key: 'v', ctrlKey: true });
    await waitFor(() => expect(requestsOf(asked)).toHaveLength(1));
    expect(requestsOf(asked)[0]?.source).toEqual({ kind: 'clipboard' });
    await fireEvent.keyDown(document.body, { key: 'v', ctrlKey: true });
    await fireEvent.paste(document.body, { clipboardData: carrying({ text: LINK }) });
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(requestsOf(asked).map(({ source }) => source.kind)).toEqual(['clipboard', 'text']);
  });

  it('is not read again later, when it may hold something else', async () => {
    found = { found_in: 'qr' };
    open();
    await userEvent.click(screen.getByRole('button', { name: 'Clipboard' }));
    await screen.findByTestId('inspect-contents');
    found = {};
    inspectedFor(here.id).refresh();
    await inspectedFor(here.id).settled();
    expect(requestsOf(asked).at(-1)?.source).toEqual({ kind: 'text', text: CODE });
    expect(inspectedFor(here.id).shown?.found_in).toBe('qr');
  });
});
