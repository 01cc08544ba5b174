import { SvelteMap } from 'svelte/reactivity';

import type { GatewayStart, Instance, Tls } from '../../generated/types';
import { onForget } from './changes';
import { gateway } from './gateway.svelte';

export const LOOPBACK = '127.0.0.1';
const DEFAULT_PORT = '8787';

/** Content of the form that starts a gateway. */
export type GatewayDraft = {
  ip: string;
  /** Unchecked text of the field. */
  port: string;
  tls: Tls['kind'];
  certificate: string;
  key: string;
};

/** Drafts of the forms that start gateways, by instance. They are kept while other screens are open. */
class GatewayDrafts {
  readonly #chosen = new SvelteMap<string, Partial<GatewayDraft>>();
  /** Settings of the last start, from before this run of Studio. */
  readonly #remembered = new SvelteMap<string, GatewayDraft>();

  remember(started: GatewayStart[]): void {
    for (const { instance, ip, port, tls } of started) {
      const files = tls.kind === 'files' ? tls : { certificate: '', key: '' };
      const { certificate, key } = files;
      this.#remembered.set(instance, { ip, port: String(port), tls: tls.kind, certificate, key });
    }
  }

  /**
   * Returns the draft: chosen values, else those of the last start, else this computer alone and the
   * port to which links lead.
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
    // The computer may have left that network.
    return gateway.addresses.some(({ ip }) => ip === draft.ip) ? draft : { ...draft, ip: LOOPBACK };
  }

  change(instance: Instance, change: Partial<GatewayDraft>): void {
    this.#chosen.set(instance.id, { ...this.#chosen.get(instance.id), ...change });
  }

  /** Marks all values of the form as chosen, because the gateway starts with them. */
  settle(instance: Instance): void {
    this.change(instance, this.of(instance));
  }

  discard(id: string): void {
    this.#chosen.delete(id);
    this.#remembered.delete(id);
  }

  /**
   * Returns the request for a start without the form; null if the person must see the form first. That
   * is so for a network of the last start, because the same address may be another network today.
   */
  requestAtOnce(instance: Instance): GatewayStart | null {
    const chosen = this.#chosen.get(instance.id)?.ip;
    const wanted = chosen ?? this.#remembered.get(instance.id)?.ip ?? LOOPBACK;
    const isThere = this.of(instance).ip === wanted;
    const isSeen = wanted === LOOPBACK || chosen !== undefined;
    return isThere && isSeen ? this.request(instance) : null;
  }

  /** Returns the request for a start; null if the port is invalid. */
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

onForget((id) => gatewayDrafts.discard(id));
