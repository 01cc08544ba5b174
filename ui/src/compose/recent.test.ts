import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import {
  answer,
  forecastLike,
  instanceLike,
  linkLike,
  pageLike,
  previewLike,
  type Asked,
} from '../../tests/answers';
import { person } from '../../tests/compose';
import type { IssuedLink, LinkQuery } from '../generated/types';
import { forgetInstance } from '../lib/state/changes';
import { studio } from '../lib/state/studio.svelte';
import { linksFor } from '../links/list.svelte';
import Compose from './Compose.svelte';

const instance = instanceLike({ hosted: 'here' });
let asked: Asked[] = [];
/** User whom the forecast names. */
let user: string | null;
/** Links that still work, as the answer lists them, and how many there are. */
let working: { links: IssuedLink[]; total: number };

beforeEach(() => {
  cleanup();
  forgetInstance(instance.id);
  studio.instances = [instance];
  user = null;
  working = { links: [], total: 0 };
});

const queries = (): LinkQuery[] =>
  asked.flatMap((one) => (one.name === 'links' ? [one.request.query] : []));

function open() {
  asked = answer({
    compose: () => previewLike({ forecast: forecastLike({ user }) }),
    gateway: () => ({ running: null, others: [], addresses: [] }),
    users: () => pageLike([]),
    links: ({ query }) => {
      const found = query.works === true ? working : { links: [linkLike()], total: 1 };
      return { ...found, first_row: 0, next: null };
    },
  });
  render(Compose, { instance });
}

it('shows the links of everybody with their names until a person is typed', async () => {
  open();
  const recent = await screen.findByTestId('recent');
  expect(recent.textContent).toContain('Ada Okafor');
  expect(queries()).toMatchObject([{ search: '', user: null, works: null }]);
});

it('asks for the links of exactly the typed address, and shows all of them in Links', async () => {
  open();
  await userEvent.type(person(), 'an@acme.example');
  await screen.findByText('Earlier links for', { exact: false });
  expect(queries().at(-1)).toMatchObject({ search: '', user: 'an@acme.example' });
  await userEvent.click(screen.getByTestId('recent-all'));
  const { only, search } = linksFor(instance.id);
  expect([search, only]).toEqual(['', { kind: 'person', user: 'an@acme.example' }]);
});

it('asks for the links of the user who has the address', async () => {
  user = 'user-7';
  open();
  await userEvent.type(person(), 'an@acme.example');
  await waitFor(() => expect(queries().at(-1)?.user).toBe('user-7'));
});

it('counts all links that still work, without the one on the screen', async () => {
  working = { links: [linkLike({ id: 'shown-link' }), linkLike()], total: 61 };
  open();
  await userEvent.type(person(), 'an@acme.example');
  await screen.findByText('60 still work');
  expect(queries().at(-1)).toMatchObject({ user: 'an@acme.example', works: true });
});

it('does not count the link on the screen as an older one', async () => {
  working = { links: [linkLike({ id: 'shown-link' })], total: 1 };
  open();
  await userEvent.type(person(), 'an@acme.example');
  await waitFor(() => expect(queries().at(-1)?.works).toBe(true));
  await screen.findByText('Earlier links for', { exact: false });
  expect(document.body.textContent).not.toContain('still work');
});
