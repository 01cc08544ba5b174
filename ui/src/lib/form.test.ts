import { beforeEach, describe, expect, it } from 'vitest';

import { Refused } from './bridge';
import { Form, refusal } from './form.svelte';
import { toasts } from './state/toasts.svelte';

/** The element of a form with a field `url`, which is marked as refused. */
function formElement(): HTMLElement {
  const element = document.createElement('form');
  element.innerHTML =
    '<div data-field="name"><input aria-label="name"></div>' +
    '<div data-field="metadata"><input aria-label="metadata"></div>' +
    '<div data-field="url"><input aria-label="url" aria-invalid="true"></div>';
  document.body.replaceChildren(element);
  return element;
}

function refusing(field: string | null): Form {
  const send = (): Promise<void> =>
    Promise.reject(new Refused({ code: 'invalid_url', message: 'It is wrong.', field }));
  const form = new Form(send);
  form.attach(formElement());
  return form;
}

beforeEach(() => {
  toasts.list = [];
});

describe('a form', () => {
  it('gives the focus to the first field that is refused, and its message to that field alone', async () => {
    const form = refusing('url');
    expect(await form.submit()).toBe(false);
    expect(document.activeElement?.getAttribute('aria-label')).toBe('url');
    expect(form.errorOf('url')).toBe('It is wrong.');
    expect(form.errorOf('name')).toBeNull();
    expect(form.general).toBeNull();
  });

  it.each([null, 'secret'])('has a general problem where no field shows it: %s', async (field) => {
    const form = refusing(field);
    await form.submit();
    expect(form.general?.message).toBe('It is wrong.');
  });

  it('leaves the problem of one member of the metadata to the metadata', async () => {
    const form = refusing('metadata.team');
    await form.submit();
    expect(form.general).toBeNull();
  });

  it('sends nothing while an answer is awaited', async () => {
    let sent = 0;
    let answer: () => void = () => undefined;
    const form = new Form(() => {
      sent += 1;
      return new Promise<void>((resolve) => (answer = resolve));
    });
    const first = form.submit();
    expect(form.saving).toBe(true);
    expect(await form.submit()).toBe(false);
    answer();
    expect(await first).toBe(true);
    expect(form.saving).toBe(false);
    expect(sent).toBe(1);
  });

  it('offers to undo what it saved, and says why that failed', async () => {
    const form = new Form(() =>
      Promise.resolve({
        said: 'Saved.',
        undo: () => Promise.reject(refusal('url', 'It is too late.')),
      }),
    );
    await form.submit();
    const [toast] = toasts.list;
    expect(toast?.text).toBe('Saved.');
    toast?.actions[0]?.run();
    await new Promise((resolve) => setTimeout(resolve));
    expect(toasts.list.some(({ text }) => text === 'It is too late.')).toBe(true);
  });

  it('forgets what was refused when it is reset', async () => {
    const form = refusing('secret');
    await form.submit();
    form.reset();
    expect(form.problem).toBeNull();
    expect(form.general).toBeNull();
  });
});
