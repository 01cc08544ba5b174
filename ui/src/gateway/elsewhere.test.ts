import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { answer, instanceLike, runningLike } from '../../tests/answers';
import type { Instance } from '../generated/types';
import { gateway } from '../lib/state/gateway.svelte';
import { studio } from '../lib/state/studio.svelte';
import { toasts } from '../lib/state/toasts.svelte';
import Gateway from './Gateway.svelte';

/** The instance's screen while its gateway is open at an address. */
async function open(links: string, opened: string): Promise<Instance> {
  const instance = instanceLike({ id: 'here', hosted: 'here', url: links });
  const state = {
    running: runningLike({ instance: 'here', url: opened }),
    others: [],
    addresses: [],
  };
  studio.instances = [instance];
  answer({
    gateway: () => state,
    instance_update: ({ settings }) => ({ ...instance, ...settings }),
  });
  await gateway.refresh();
  render(Gateway, { instance });
  return instance;
}

/** The words of the banner in one line; undefined where there is none. */
function said(): string | undefined {
  const words = screen.queryByTestId('gateway-leads-elsewhere')?.textContent;
  return words?.replaceAll(/\s+/gu, ' ').trim();
}

beforeEach(() => {
  cleanup();
  toasts.list = [];
});

describe('the words about links that do not lead to the open gateway', () => {
  it('name both addresses with their schemes, and what the button does', async () => {
    await open('https://chat.yourcompany.com/', 'http://192.168.1.20:8787/');
    expect(screen.getByText('Links do not lead to this gateway')).toBeTruthy();
    expect(said()).toBe(
      'Links do not lead to this gateway They lead to https://chat.yourcompany.com. Only a proxy there brings visitors here, to ' +
        'http://192.168.1.20:8787. Make links for http://192.168.1.20:8787',
    );
    await userEvent.click(screen.getByRole('button', { name: /^Make links for/u }));
    await waitFor(() =>
      expect(toasts.list.map(({ text }) => text)).toEqual([
        'Links lead to http://192.168.1.20:8787 now.',
      ]),
    );
  });

  it('tell addresses apart that differ in the scheme alone', async () => {
    await open('https://localhost:8787/', 'http://localhost:8787/');
    expect(said()).toContain('They lead to https://localhost:8787.');
    expect(said()).toContain('Make links for http://localhost:8787');
  });

  it('are left out where links lead to the gateway', async () => {
    await open('http://localhost:8787/', 'http://127.0.0.1:8787/');
    expect(said()).toBeUndefined();
  });
});
