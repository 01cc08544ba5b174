import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, lastAsked, previewLike, type Asked } from '../../tests/answers';
import { forgetInstance } from '../lib/state/changes';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Shell from './Shell.svelte';

const instance = instanceLike();
let asked: Asked[] = [];

beforeEach(() => {
  cleanup();
  forgetInstance(instance.id);
  studio.instances = [instance, instanceLike({ id: 'sample', name: 'Sample', hosted: 'here' })];
  studio.open('compose');
  asked = answer({
    compose: () => previewLike(),
    copy: () => ({ clears_in_secs: 60, warning: null }),
    log_file: () => ({ path: '/data/log' }),
  });
  render(Shell, { instance });
});

it('changes the screen by key and by the rail', async () => {
  await userEvent.keyboard('{Control>}[Digit6]{/Control}');
  expect(await screen.findByRole('textbox', { name: 'Address' })).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Settings' }).getAttribute('aria-current')).toBe(
    'page',
  );
  await userEvent.click(screen.getByRole('button', { name: 'Compose' }));
  expect(await screen.findByLabelText(/^Person/u)).toBeTruthy();
});

it('copies the link by key', async () => {
  await userEvent.type(screen.getByLabelText(/^Person/u), 'ada@b.co');
  await userEvent.keyboard('{Control>}{Enter}{/Control}');
  await waitFor(() => expect(lastAsked(asked, 'copy')).toMatchObject({ what: 'link' }));
});

it('does from the palette what is chosen, and gives the focus back', async () => {
  const field = screen.getByLabelText(/^Person/u);
  field.focus();
  await userEvent.keyboard('{Control>}k{/Control}');
  const input = await screen.findByRole('combobox', { name: 'What to do' });
  input.focus();
  await userEvent.type(input, 'sample');
  const active = document.getElementById(input.getAttribute('aria-activedescendant') ?? '');
  expect(active?.textContent).toContain('Switch to Sample');
  await userEvent.keyboard('{Enter}');
  expect(screen.queryByRole('dialog', { name: 'Commands' })).toBeNull();
  expect(document.activeElement).toBe(field);
  await waitFor(() =>
    expect(asked).toContainEqual({ name: 'instance_select', request: { instance: 'sample' } }),
  );
});

it('offers to copy only what there is', async () => {
  await userEvent.keyboard('{Control>}k{/Control}');
  await screen.findByRole('combobox', { name: 'What to do' });
  expect(screen.queryByRole('option', { name: /^Copy link/u })).toBeNull();
});

it('keeps what was typed while another screen is open', async () => {
  await userEvent.type(screen.getByLabelText(/^Person/u), 'ada@b.co');
  await userEvent.click(screen.getByRole('button', { name: 'Settings' }));
  await userEvent.click(screen.getByRole('button', { name: 'Compose' }));
  const field = await screen.findByLabelText<HTMLInputElement>(/^Person/u);
  expect(field.value).toBe('ada@b.co');
});

it('shows the digits of the screens in place of their icons while Ctrl is held', async () => {
  const entry = screen.getByRole('button', { name: 'Users' });
  const user = userEvent.setup();
  await user.keyboard('{Control>}');
  expect(entry.textContent.trim()).toMatch(/^3\s+Users$/u);
  expect(entry.querySelector('svg')).toBeNull();
  await user.keyboard('{/Control}');
  expect(entry.textContent.trim()).toBe('Users');
  expect(entry.querySelector('svg')).toBeTruthy();
});

it('opens the palette from the rail', async () => {
  await userEvent.click(screen.getByRole('button', { name: 'Search' }));
  expect(await screen.findByRole('dialog', { name: 'Commands' })).toBeTruthy();
});

it('marks every instance with a colour of its own', async () => {
  const rail = () => screen.getByRole('complementary', { name: 'Instance and screens' });
  const colour = rail().dataset['colour'];
  expect(colour).toBeTruthy();
  cleanup();
  render(Shell, { instance: instanceLike({ id: 'sample', name: 'Sample', hosted: 'here' }) });
  await waitFor(() => expect(rail().dataset['colour']).toBeTruthy());
  expect(rail().dataset['colour']).not.toBe(colour);
});

it('says what was done in the rail, where it lies on no content', async () => {
  toasts.say('Saved.');
  const message = await screen.findByText('Saved.');
  expect(message.closest('aside')).toBeTruthy();
});
