import { SvelteMap } from 'svelte/reactivity';

import type { Instance, InstanceSettings } from '../generated/types';

/** The settings of an instance that an administrator edits. */
export function settingsOf(instance: Instance): InstanceSettings {
  const {
    name,
    url,
    hosted,
    parameter,
    algorithm,
    lifetime,
    policy,
    visiting,
    retention,
    audiences,
  } = instance;
  return {
    name,
    url,
    hosted,
    parameter,
    algorithm,
    lifetime,
    policy: { ...policy },
    visiting: { ...visiting },
    retention: { ...retention },
    audiences: [...audiences],
  };
}

function same(a: InstanceSettings, b: InstanceSettings): boolean {
  const flat = ({ policy, visiting, retention, ...rest }: InstanceSettings) =>
    Object.entries({ ...rest, ...policy, ...visiting, ...retention }).map(
      ([member, value]) => [member, JSON.stringify(value)] as const,
    );
  const others = new Map(flat(b));
  return flat(a).every(([member, value]) => others.get(member) === value);
}

/** Settings that were edited and not saved yet, by instance; they stay while other screens open. */
class SettingsDrafts {
  readonly #drafts = new SvelteMap<string, InstanceSettings>();

  /** Returns the values of the form: the draft, else the saved settings. */
  of(instance: Instance): InstanceSettings {
    return this.#drafts.get(instance.id) ?? settingsOf(instance);
  }

  unsaved(instance: Instance): boolean {
    const draft = this.#drafts.get(instance.id);
    return draft !== undefined && !same(draft, settingsOf(instance));
  }

  change(instance: Instance, change: Partial<InstanceSettings>): void {
    this.#drafts.set(instance.id, { ...this.of(instance), ...change });
  }

  discard(id: string): void {
    this.#drafts.delete(id);
  }
}

export const settingsDrafts = new SettingsDrafts();
