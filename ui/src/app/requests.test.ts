import { cleanup, render, screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';

import { answer, instanceLike, linksOf, pageOf, requestLike, userLike } from '../../tests/answers';
import type { OpenRequest } from '../generated/types';
import { activityChanges, forgetInstance } from '../lib/state/changes';
import { showUser } from '../lib/state/selection.svelte';
import { studio } from '../lib/state/studio.svelte';
import { linksFor } from '../links/list.svelte';
import Shell from './Shell.svelte';

const instance = instanceLike({ id: 'here', hosted: 'here' });

/** The open requests of the directory. */
let open: OpenRequest[];

beforeEach(() => {
  cleanup();
  forgetInstance(instance.id);
  studio.instances = [instance];
  studio.open('links');
  answer({
    links: (request) => linksOf(request, 3),
    users: (request) => pageOf(request, 3),
    user: () => ({ user: userLike({ id: 'user-0' }), metadata_json: '{}' }),
    link_requests: () => [...open],
    link_request_grant: () => {
      open = [];
      return { clears_in_secs: 60, warning: null };
    },
  });
});

it('shows a request as soon as it arrives, in the list and in the rail', async () => {
  open = [];
  render(Shell, { instance });
  expect(screen.queryByTestId('rail-count')).toBeNull();
  linksFor(instance.id).showsRequests = true;
  await screen.findByTestId('requests-empty');
  open = [requestLike(), requestLike({ number: 8, user: null, subject: 'bob@b.co', name: null })];
  activityChanges.notify(instance.id);
  expect(await screen.findAllByTestId('request')).toHaveLength(2);
  expect(screen.getByTestId('rail-count').textContent).toBe('2');
  expect(screen.getByTestId('rail-links').textContent).toContain(
    '2 people have asked for a new link',
  );
});

it('shows the request of a person in their panel', async () => {
  open = [requestLike({ user: 'user-0' }), requestLike({ number: 8, user: 'user-1' })];
  showUser(instance.id, 'user-0');
  render(Shell, { instance });
  const request = await screen.findByTestId('user-request');
  await userEvent.click(within(request).getByTestId('request-grant'));
  await waitFor(() => expect(screen.queryByTestId('user-request')).toBeNull());
});
