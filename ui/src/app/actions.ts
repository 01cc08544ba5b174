import { composerFor } from '../compose/composer.svelte';
import type { Instance, Theme } from '../generated/types';
import type { Action } from '../layout/action';
import { hasUsers } from '../lib/hosted';
import { COMMAND } from '../lib/keyboard';
import { screens } from '../lib/screens';
import { addUser } from '../lib/state/add-user.svelte';
import { lost } from '../lib/state/lost.svelte';
import { addSample } from '../lib/state/sample';
import { studio } from '../lib/state/studio.svelte';

const THEMES: Theme[] = ['system', 'light', 'dark'];

/** All that can be done now, in the order in which it is shown. */
export function actions(instance: Instance, connect: () => void): Action[] {
  return [
    ...taking(instance),
    ...opening(),
    ...administering(instance),
    ...switching(instance, connect),
    ...theming(),
  ];
}

function taking(instance: Instance): Action[] {
  const composer = composerFor(instance.id);
  if (!composer.live.ready || composer.unsignable !== null) return [];
  const all: Action[] = [
    {
      id: 'copy-link',
      name: 'Copy link',
      icon: 'copy',
      shortcut: `${COMMAND} ↵`,
      run: () => void composer.copy('link'),
    },
    {
      id: 'copy-message',
      name: 'Copy message',
      icon: 'copy',
      run: () => void composer.copy('message'),
    },
    { id: 'copy-code', name: 'Copy code', icon: 'copy', run: () => void composer.copy('code') },
    {
      id: 'copy-widget',
      name: 'Copy widget tag',
      icon: 'copy',
      run: () => void composer.copy('widget'),
    },
  ];
  // An unsigned link has no QR code yet.
  if (composer.live.shown?.signed && composer.live.shown.qr) {
    all.push(
      { id: 'copy-qr', name: 'Copy QR code', icon: 'copy', run: () => void composer.copy('qr') },
      {
        id: 'save-png',
        name: 'Save QR code as PNG…',
        icon: 'save',
        run: () => void composer.saveQr('png'),
      },
      {
        id: 'save-svg',
        name: 'Save QR code as SVG…',
        icon: 'save',
        run: () => void composer.saveQr('svg'),
      },
    );
  }
  return all;
}

function opening(): Action[] {
  const all: Action[] = screens.map(({ id, name, icon }, index) => ({
    id: `open-${id}`,
    name: `Go to ${name}`,
    icon,
    shortcut: `${COMMAND} ${index + 1}`,
    run: () => studio.open(id),
  }));
  all.push({
    id: 'open-appearance',
    name: 'Go to Settings: Appearance',
    icon: 'gear',
    run: () => studio.open('settings', 'appearance'),
  });
  return all;
}

function administering(instance: Instance): Action[] {
  if (!hasUsers(instance)) return [];
  const changing: Action[] =
    lost.of(instance.id) === null
      ? [{ id: 'add-user', name: 'Add user…', icon: 'users', run: () => addUser() }]
      : [];
  return [
    ...changing,
    {
      id: 'seat-limit',
      name: 'Set the seat limit…',
      icon: 'gear',
      run: () => studio.open('settings', 'seats'),
    },
    {
      id: 'gateway',
      name: instance.hosted === 'here' ? 'Open or close the gateway…' : 'Show the gateway',
      icon: 'door',
      run: () => studio.open('gateway'),
    },
  ];
}

function switching(instance: Instance, connect: () => void): Action[] {
  const all: Action[] = studio.instances
    .filter(({ id }) => id !== instance.id)
    .map(({ id, name }) => ({
      id: `switch-${id}`,
      name: `Switch to ${name}`,
      icon: 'switch',
      run: () => void studio.select(id),
    }));
  all.push({ id: 'connect', name: 'Connect another instance…', icon: 'plus', run: connect });
  if (!studio.hasSample) {
    all.push({ id: 'sample', name: 'Try it here', icon: 'flask', run: () => void addSample() });
  }
  return all;
}

function theming(): Action[] {
  return THEMES.filter((theme) => theme !== studio.theme).map((theme) => ({
    id: `theme-${theme}`,
    name: `Theme: ${theme}`,
    icon: 'theme',
    run: () => void studio.setTheme(theme),
  }));
}
