import { beforeEach, expect, it } from 'vitest';

import { answer, connectedLike, instanceLike, startLike } from '../../../tests/answers';
import { composerFor } from '../../compose/composer.svelte';
import { inspectedFor } from '../../inspect/inspected.svelte';
import { settingsDrafts } from '../../settings/drafts.svelte';
import { importing } from '../../users/importing.svelte';
import { listFor } from '../../users/list.svelte';
import { forgetInstance } from './changes';
import { connections } from './connections.svelte';
import { copies } from './copies.svelte';
import { gatewayDrafts } from './gateway-drafts.svelte';
import { lost } from './lost.svelte';
import { seats } from './seats.svelte';
import { selection } from './selection.svelte';
import { startForm } from './start-gateway';
import { studio } from './studio.svelte';

const instance = connectedLike();

beforeEach(() => {
  forgetInstance(instance.id);
  studio.instances = [instance];
});

/** Fills the stores with an instance. Returns what they keep of it. */
async function fill() {
  answer({
    instance_refresh: () => instance,
    gateway_remote: () => ({}) as never,
    import_choose: () => ({ rows: 0, counts: { problem: 0 } }) as never,
    import_rows: () => [],
    import_close: () => null,
  });
  await studio.refresh(instance.id);
  await connections.check(instance.id);
  await importing.choose(instance.id);
  seats.take(instance.id, { used: 1, limit: null });
  selection.select(instance.id, 'ada');
  copies.take(instance.id, 1);
  settingsDrafts.change(instance, { name: 'Changed' });
  gatewayDrafts.change(instance, { port: '9999' });
  lost.set(instance.id, {
    cause: 'unreachable',
    problem: { code: 'unreachable', message: '', field: null },
    since: 0,
    tries: 0,
    nextAt: null,
  });
  return {
    composer: composerFor(instance.id),
    inspected: inspectedFor(instance.id),
    list: listFor(instance.id),
    form: startForm(instance),
  };
}

function expectForgotten({ composer, inspected, list, form }: Awaited<ReturnType<typeof fill>>) {
  expect(studio.knowsKeys(instance)).toBe(false);
  expect(connections.stateOf(instance.id)).toBeNull();
  expect(importing.isOpen(instance.id)).toBe(false);
  expect(seats.of(instance.id)).toBeNull();
  expect(selection.of(instance.id)).toBeNull();
  expect(copies.at(instance.id)).toBeNull();
  expect(settingsDrafts.of(instance).name).toBe(instance.name);
  expect(gatewayDrafts.of(instance).port).not.toBe('9999');
  expect(lost.of(instance.id)).toBeNull();
  expect(composerFor(instance.id)).not.toBe(composer);
  expect(inspectedFor(instance.id)).not.toBe(inspected);
  expect(listFor(instance.id)).not.toBe(list);
  expect(startForm(instance)).not.toBe(form);
}

it('forgets everything of an instance that is removed', async () => {
  const kept = await fill();
  studio.drop(instance.id);
  expectForgotten(kept);
});

it('forgets everything of an instance that a restored backup replaces', async () => {
  const kept = await fill();
  const restored = instanceLike({ id: 'restored', name: instance.name });
  studio.enter(restored, instance.id);
  expect(studio.instances.map(({ id }) => id)).toEqual(['restored']);
  expectForgotten(kept);
});

it('forgets everything of an instance that another process has removed', async () => {
  const kept = await fill();
  const other = instanceLike({ id: 'other' });
  answer({ start: () => startLike({ instances: [other] }), import_close: () => null });
  await studio.reload();
  expectForgotten(kept);
});
