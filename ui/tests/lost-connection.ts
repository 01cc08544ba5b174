import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, vi } from 'vitest';

import App from '../src/app/App.svelte';
import { forgetInstance } from '../src/lib/state/changes';
import { connections } from '../src/lib/state/connections.svelte';
import { listenForEvents } from '../src/lib/state/events';
import { selection } from '../src/lib/state/selection.svelte';
import { studio } from '../src/lib/state/studio.svelte';
import { toasts } from '../src/lib/state/toasts.svelte';
import {
  answer,
  connectedLike,
  forecastLike,
  outlineLike,
  pageLike,
  refuse,
  startLike,
  userLike,
  type Asked,
} from './answers';

/** Studio with an instance on a gateway that a test takes out of reach. */

export const instance = connectedLike();

export const gateway = {
  /** Code of the problem with which it is reached; null while it answers. */
  broken: null as string | null,
  /** Whether it leaves the question for the forecast unanswered. */
  silent: false,
  asked: [] as Asked[],
  reach<T>(answered: T): T {
    if (this.broken !== null)
      refuse(this.broken, 'The gateway does not answer. Check the network.');
    return answered;
  },
};

export const banner = () => screen.findByTestId('connection-lost');

export async function lose(cause: string): Promise<void> {
  gateway.broken = cause;
  await connections.check(instance.id);
  await banner();
}

/** Opens Studio at the users of the instance before each test, while the gateway answers. */
export function openBeforeEach(): void {
  beforeEach(async () => {
    cleanup();
    vi.useFakeTimers({
      shouldAdvanceTime: true,
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
    });
    gateway.broken = null;
    gateway.silent = false;
    toasts.list = [];
    forgetInstance(instance.id);
    selection.clear(instance.id);
    gateway.asked = answer({
      log_file: () => ({ path: '/data/log' }),
      start: () => startLike({ instances: [instance], current: instance.id }),
      seats: () => gateway.reach({ used: 1, limit: 10 }),
      users: () => gateway.reach(pageLike([userLike()])),
      user: () => gateway.reach({ user: userLike(), metadata_json: '{}' }),
      user_suspend: () =>
        gateway.reach({ user: userLike({ status: 'suspended' }), metadata_json: '{}' }),
      activity: () => gateway.reach({ entries: [], before: null }),
      compose: () => outlineLike(),
      link_forecast: () =>
        gateway.silent
          ? new Promise(() => undefined)
          : gateway.reach({ forecast: forecastLike(), remedies: [] }),
      instance_refresh: () => gateway.reach(instance),
      instance_reconnect: () => {
        gateway.broken = null;
        return instance;
      },
      connection_parts: () => ({
        host: 'admin.acme.example:8443',
        instance: 'acme',
        fingerprint: 'AA:BB:CC',
      }),
      certificate_seen: () => ({ known: 'AA:BB:CC', seen: 'DD:EE:FF' }),
      certificate_trust: () => {
        gateway.broken = null;
        return instance;
      },
      gateway_remote: () =>
        gateway.reach({
          address: 'https://chat.acme.example/',
          started_at: Math.floor(Date.now() / 1000) - 7200,
          program: 'latchkey serve',
          version: '0.1.0',
          sign_ins_today: 63,
        }),
    });
    await studio.start();
    await listenForEvents();
    studio.open('users');
    render(App);
    await screen.findByTestId('user-row');
    await waitFor(() => expect(connections.stateOf(instance.id)).not.toBeNull());
  });

  afterEach(() => vi.useRealTimers());
}
