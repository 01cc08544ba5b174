import { SvelteMap } from 'svelte/reactivity';

import type { GatewayStart, Instance, Tls } from '../../generated/types';
import { gateway } from './gateway.svelte';

export const LOOPBACK = '127.0.0.1';
const DEFAULT_PORT = '8787';

/** How a gateway is to be started, as its form shows it. */
export type GatewayDraft = {
  ip: string;
  /** As it is typed. */
  port: string;
  tls: Tls['kind'];
  certificate: string;
  key: string;
};

/** What was chosen for the gateways, by instance; it stays while other screens open. */
class GatewayDrafts {
  readonly #chosen = new SvelteMap<string, Partial<GatewayDraft>>();
  /** As they were started last, before Studio was. */
  readonly #remembered = new SvelteMap<string, GatewayDraft>();

  remember(started: GatewayStart[]): void {
    for (const { instance, ip, port, tls } of started) {
      const files = tls.kind === 'files' ? tls : { certificate: '', key: '' };
      const { certificate, key } = files;
      this.#remembered.set(instance, { ip, port: String(port), tls: tls.kind, certificate, key });
    }
  }

  /**
   * Where nothing was chosen, as it was started last; where it never was, on this computer alone,
   * and at the port to which links lead.
   */
  of(instance: Instance): GatewayDraft {
    const draft = {
      ip: LOOPBACK,
      port: portOf(instance.url),
      tls: 'off' as const,
      certificate: '',
      key: '',
      ...this.#remembered.get(instance.id),
      ...this.#chosen.get(instance.id),
    };
    // A network that was left is not there to listen on.
    return gateway.addresses.some(({ ip }) => ip === draft.ip) ? draft : { ...draft, ip: LOOPBACK };
  }

  change(instance: Instance, change: Partial<GatewayDraft>): void {
    this.#chosen.set(instance.id, { ...this.#chosen.get(instance.id), ...change });
  }

  /** It is started as its form shows it: all of that counts as chosen. */
  settle(instance: Instance): void {
    this.change(instance, this.of(instance));
  }

  discard(id: string): void {
    this.#chosen.delete(id);
    this.#remembered.delete(id);
  }

  /**
   * What starts it with no look at its form; null where that is to be seen first. A network of the
   * last time is: the same address may be another network by now.
   */
  requestAtOnce(instance: Instance): GatewayStart | null {
    const chosen = this.#chosen.get(instance.id)?.ip;
    const wanted = chosen ?? this.#remembered.get(instance.id)?.ip ?? LOOPBACK;
    const isThere = this.of(instance).ip === wanted;
    const isSeen = wanted === LOOPBACK || chosen !== undefined;
    return isThere && isSeen ? this.request(instance) : null;
  }

  /** What starts it; null where the port is none. */
  request(instance: Instance): GatewayStart | null {
    const { ip, port: typed, tls: kind, certificate, key } = this.of(instance);
    const port = /^\d{1,5}$/u.test(typed.trim()) ? Number(typed) : 0;
    if (port < 1 || port > 65535) return null;
    const tls: Tls = kind === 'files' ? { kind, certificate, key } : { kind };
    return { instance: instance.id, ip, port, tls };
  }
}

function portOf(address: string): string {
  const { protocol, port } = new URL(address);
  return protocol === 'http:' && port !== '' ? port : DEFAULT_PORT;
}

export const gatewayDrafts = new GatewayDrafts();
