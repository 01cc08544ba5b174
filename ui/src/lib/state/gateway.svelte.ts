import type {
  Forecast,
  GatewayStart,
  GatewayState,
  Instance,
  ListenAddress,
  OtherGateway,
  Problem,
  RunningGateway,
} from '../../generated/types';
import { addressOf, sameServer } from '../address';
import { asProblem, call } from '../bridge';

/** Last known state of the gateway that Studio runs. */
class Gateway {
  running = $state.raw<RunningGateway | null>(null);
  /** Gateways that other programs run. */
  others = $state.raw<OtherGateway[]>([]);
  addresses = $state.raw<ListenAddress[]>([]);
  /** Why the state is not known. */
  problem = $state.raw<Problem | null>(null);
  /** Whether it is being started or stopped. */
  busy = $state(false);
  /** Whether the Rust side has answered once. */
  known = $state(false);
  /** Number of the last question. Answers to earlier ones are dropped. */
  #turn = 0;

  /** The address at which people reach an instance's gateway; null where none of it runs. */
  urlOf(instanceId: string): string | null {
    return this.running?.instance === instanceId ? this.running.url : null;
  }

  /** The program that runs an instance's gateway in place of Studio; null where none does. */
  programOf(instanceId: string): string | null {
    return this.others.find(({ instance }) => instance === instanceId)?.program ?? null;
  }

  /**
   * Whether a link that would work does not open because the gateway that opens it is closed. Where
   * the users of an instance are out of reach, another program may run its gateway.
   */
  keepsClosed(instance: Instance, { tone, verdict }: Forecast): boolean {
    const reachable = instance.hosted === 'here' && verdict !== null && tone !== 'refused';
    const open = this.urlOf(instance.id) ?? this.programOf(instance.id);
    return reachable && this.known && open === null;
  }

  /** The warning for an instance whose links lead to another address than its gateway; null for others. */
  leadsElsewhere(instance: Instance): { title: string; detail: string } | null {
    const url = this.urlOf(instance.id);
    if (url === null || sameServer(url, instance.url)) return null;
    const [linked, reached] = [addressOf(instance.url), addressOf(url)];
    return {
      title: 'Links do not lead to this gateway',
      detail: `They lead to ${linked}. Only a proxy there brings visitors here, to ${reached}.`,
    };
  }

  /** As `leadsElsewhere`, for links to this computer: there is no proxy that brings visitors here. */
  misses(instance: Instance): { title: string; detail: string } | null {
    return instance.is_loopback ? this.leadsElsewhere(instance) : null;
  }

  async refresh(): Promise<void> {
    const turn = (this.#turn += 1);
    try {
      const state = await call('gateway');
      if (turn === this.#turn) this.#take(state);
    } catch (thrown) {
      this.problem = asProblem(thrown);
    }
  }

  /** Starts a gateway. Throws the problem if it does not start. */
  async start(request: GatewayStart): Promise<void> {
    await this.#change(() => call('gateway_start', request));
  }

  /** Stops the gateway. Throws the problem if it goes on. */
  async stop(): Promise<void> {
    await this.#change(() => call('gateway_stop'));
  }

  /** Asks again after the gateway has ended. The answer to a start or stop under way says the same. */
  changed(): void {
    if (!this.busy) void this.refresh();
  }

  /** Asks again after new activity of the instance that the gateway serves: somebody may have signed in. */
  activityChanged(instanceId: string): void {
    if (this.running?.instance === instanceId) this.changed();
  }

  async #change(ask: () => Promise<GatewayState>): Promise<void> {
    this.busy = true;
    try {
      const state = await ask();
      // Answers to earlier questions are outdated.
      this.#turn += 1;
      this.#take(state);
    } finally {
      this.busy = false;
    }
  }

  #take({ running, others, addresses }: GatewayState): void {
    this.known = true;
    this.problem = null;
    this.running = running;
    this.others = others;
    this.addresses = addresses;
  }
}

export const gateway = new Gateway();
