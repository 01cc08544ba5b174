import { SvelteSet } from 'svelte/reactivity';

import type { Instance, KeyStore, Problem, Start, Theme } from '../../generated/types';
import { asProblem, call } from '../bridge';
import type { ScreenId } from '../screens';
import { forgetInstance, onForget } from './changes';
import { gatewayDrafts } from './gateway-drafts.svelte';
import { applyTheme } from './theme';
import { toasts } from './toasts.svelte';

/** Sections of Settings that other screens lead to. */
export type SettingsPart =
  'name' | 'keys' | 'typingmind' | 'rules' | 'api' | 'seats' | 'appearance';

/** State of the whole window: instances, keys, theme and the open screen. */
class Studio {
  phase = $state<'starting' | 'failed' | 'open'>('starting');
  /** Why it did not start. */
  problem = $state.raw<Problem | null>(null);
  instances = $state.raw<Instance[]>([]);
  keyStore = $state.raw<KeyStore>({ kind: 'keychain', state: 'ready' });
  theme = $state<Theme>('system');
  version = $state('');
  dataDir = $state('');
  /** Problems of instances that cannot be read. */
  unreadable = $state.raw<Problem[]>([]);
  screen = $state<ScreenId>('compose');
  /** The section that Settings scrolls to when it opens; null for its top. */
  settingsPart = $state<SettingsPart | null>(null);
  #currentId = $state<string | null>(null);
  /** Instances whose gateway on a server has told its settings since the start. */
  readonly #read = new SvelteSet<string>();

  readonly current: Instance | null = $derived(
    this.instances.find(({ id }) => id === this.#currentId) ?? this.instances[0] ?? null,
  );

  /** Whether an instance on this computer exists. */
  get hasSample(): boolean {
    return this.instances.some(({ hosted }) => hosted === 'here');
  }

  constructor() {
    onForget((id) => this.#read.delete(id));
  }

  /** Loads everything. Unlocking the keys loads it again. */
  async start(): Promise<void> {
    try {
      this.#take(await call('start'));
      this.phase = 'open';
    } catch (thrown) {
      this.problem = asProblem(thrown);
      this.phase = 'failed';
    }
  }

  /**
   * Asks for the instances again, which another process may have changed. An unchanged instance stays
   * the same object, so that no screen resets itself.
   */
  async reload(): Promise<void> {
    // Without an instance, the person may be connecting the first one.
    if (this.instances.length === 0) return;
    try {
      const { instances, problems } = await call('start');
      const before = new Map(this.instances.map((one) => [one.id, one]));
      this.instances = instances
        .map((one) => this.#withKeys(one))
        .map((one) => {
          const known = before.get(one.id);
          return known && JSON.stringify(known) === JSON.stringify(one) ? known : one;
        });
      const left = new Set(instances.map(({ id }) => id));
      for (const id of before.keys()) if (!left.has(id)) forgetInstance(id);
      this.#warn(problems);
    } catch (thrown) {
      toasts.warn(asProblem(thrown).message);
    }
  }

  /** Keeps the keys of an instance that a gateway on a server has. They are read with its settings. */
  #withKeys(instance: Instance): Instance {
    const before = this.instances.find(({ id }) => id === instance.id);
    if (!instance.connection || !before) return instance;
    return { ...instance, key: before.key, api_keys: before.api_keys };
  }

  /** Reads the settings and keys of an instance that a gateway on a server has. */
  async refresh(id: string): Promise<void> {
    this.put(await call('instance_refresh', { instance: id }));
    this.#read.add(id);
  }

  /** Whether the keys of an instance are known. A gateway on a server tells its own with the settings. */
  knowsKeys({ id, connection }: Instance): boolean {
    return connection === null || this.#read.has(id);
  }

  open(screen: ScreenId, part?: SettingsPart): void {
    this.screen = screen;
    this.settingsPart = part ?? null;
  }

  /** Puts an instance in the list, new or changed. */
  put(instance: Instance): void {
    const others = this.instances.filter(({ id }) => id !== instance.id);
    this.instances = [...others, instance].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Adds a new instance and opens it. It may replace another one. */
  enter(instance: Instance, replacedId?: string): void {
    if (replacedId !== undefined) {
      this.instances = this.instances.filter(({ id }) => id !== replacedId);
      forgetInstance(replacedId);
    }
    this.put(instance);
    this.#currentId = instance.id;
    this.screen = 'compose';
  }

  async select(id: string): Promise<void> {
    this.#currentId = id;
    try {
      await call('instance_select', { instance: id });
    } catch (thrown) {
      // The instance is shown anyway. Only the next start does not remember it.
      toasts.warn(asProblem(thrown).message);
    }
  }

  drop(id: string): void {
    this.instances = this.instances.filter((instance) => instance.id !== id);
    this.screen = 'compose';
    const next = this.current;
    this.#currentId = null;
    forgetInstance(id);
    if (next) void this.select(next.id);
  }

  async setTheme(theme: Theme): Promise<void> {
    this.theme = theme;
    applyTheme(theme);
    try {
      await call('appearance_set', { theme });
    } catch (thrown) {
      toasts.warn(asProblem(thrown).message);
    }
  }

  #take(start: Start): void {
    this.instances = start.instances;
    this.#currentId = start.current;
    this.keyStore = start.key_store;
    this.version = start.version;
    this.dataDir = start.data_dir;
    this.#warn(start.problems);
    this.theme = start.appearance.theme;
    applyTheme(start.appearance.theme);
    gatewayDrafts.remember(start.gateways);
  }

  /** Says what is wrong with instances, each time once. */
  #warn(problems: Problem[]): void {
    const said = new Set(this.unreadable.map(({ message }) => message));
    for (const { message } of problems) if (!said.has(message)) toasts.warn(message);
    this.unreadable = problems;
  }
}

export const studio = new Studio();
