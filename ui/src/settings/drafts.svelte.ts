import { SvelteMap } from 'svelte/reactivity';

import type { Instance, InstanceSettings } from '../generated/types';
import { onForget } from '../lib/state/changes';

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
    supersede,
    message,
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
    supersede,
    message,
  };
}

/** Names of the settings as the screen labels them. */
const LABELS: Record<string, string> = {
  name: 'Name',
  url: 'Address',
  hosted: 'People sign in',
  parameter: 'Parameter',
  algorithm: 'Algorithm',
  lifetime: 'Links work for',
  audiences: 'Audiences',
  supersede: 'Replace older links',
  message: 'Message',
  external_auth: 'External authentication',
  require_expiry: 'Require an end',
  provisioning: 'Create users',
  refresh_profile: 'Refresh profiles',
  step: 'Ask before signing in',
  session: 'Sessions last',
  session_ends_with_link: 'End with the link',
  session_idle: 'Idle time-out',
  return_to: 'Applications behind a proxy',
  embed_in: 'Pages with the widget',
  age: 'Keep entries for',
  refusals: 'Maximum number of refusals',
  links: 'Keep ended links for',
};

/** Returns the labels of the settings that were edited and not saved yet. */
export function changedSettings(instance: Instance): string[] {
  const flat = ({ policy, visiting, retention, ...rest }: InstanceSettings) =>
    Object.entries({ ...rest, ...policy, ...visiting, ...retention });
  const saved = Object.fromEntries(flat(settingsOf(instance)));
  return flat(settingsDrafts.of(instance))
    .filter(([member, value]) => JSON.stringify(saved[member]) !== JSON.stringify(value))
    .map(([member]) => LABELS[member] ?? member);
}

/** Edited settings, and the saved ones from which they were begun. */
type Draft = {
  before: InstanceSettings;
  settings: InstanceSettings;
};

/** Returns the edited settings. In a group of settings, the saved values stay beside the edited ones. */
function editsOf(
  { before, settings }: Draft,
  { policy, visiting, retention }: InstanceSettings,
): Partial<InstanceSettings> {
  return {
    ...changed(before, settings),
    policy: { ...policy, ...changed(before.policy, settings.policy) },
    visiting: { ...visiting, ...changed(before.visiting, settings.visiting) },
    retention: { ...retention, ...changed(before.retention, settings.retention) },
  };
}

/** Returns the members of `after` that differ from those of `before`. */
function changed<T extends object>(before: T, after: T): Partial<T> {
  const members = Object.keys(after) as (keyof T)[];
  const differ = members.filter(
    (member) => JSON.stringify(after[member]) !== JSON.stringify(before[member]),
  );
  return Object.fromEntries(differ.map((member) => [member, after[member]])) as Partial<T>;
}

/** Settings that were edited and not saved yet, by instance; they stay while other screens open. */
class SettingsDrafts {
  readonly #drafts = new SvelteMap<string, Draft>();

  /** Returns the values of the form: the saved settings, and over them those that were edited. */
  of(instance: Instance): InstanceSettings {
    const saved = settingsOf(instance);
    const draft = this.#drafts.get(instance.id);
    return draft ? { ...saved, ...editsOf(draft, saved) } : saved;
  }

  unsaved(instance: Instance): boolean {
    return this.#drafts.has(instance.id) && changedSettings(instance).length > 0;
  }

  change(instance: Instance, change: Partial<InstanceSettings>): void {
    const before = settingsOf(instance);
    this.#drafts.set(instance.id, { before, settings: { ...this.of(instance), ...change } });
  }

  discard(id: string): void {
    this.#drafts.delete(id);
  }
}

export const settingsDrafts = new SettingsDrafts();

onForget((id) => settingsDrafts.discard(id));
