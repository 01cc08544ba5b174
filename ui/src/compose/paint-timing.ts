import { tick } from 'svelte';

const NAME = 'latchkey:preview';
/** How many measurements can be read back. */
const KEPT = 200;

let recorded = 0;

/**
 * Records how long it took from the input event (its `timeStamp`) until the preview that it led to
 * was painted, for `performance.getEntriesByName('latchkey:preview')`.
 */
export async function measureUntilPainted(start: number): Promise<void> {
  await tick();
  // A hidden window paints nothing, and a frame that comes later says nothing about the preview.
  if (document.hidden) return;
  requestAnimationFrame(() => {
    // The callback comes before the paint; a task that it starts comes after.
    setTimeout(() => record(start, performance.now()));
  });
}

function record(start: number, end: number): void {
  performance.measure(NAME, { start, end });
  recorded += 1;
  if (recorded < 2 * KEPT) return;
  const last = performance.getEntriesByName(NAME).slice(-KEPT);
  performance.clearMeasures(NAME);
  for (const { startTime, duration } of last) {
    performance.measure(NAME, { start: startTime, end: startTime + duration });
  }
  recorded = KEPT;
}
