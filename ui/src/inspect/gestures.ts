import type { Inspected } from './inspected.svelte';

/** Takes what is dropped on the screen or pasted into it; false where there is nothing to take. */
export function take(data: DataTransfer | null, inspected: Inspected): boolean {
  // A copied cell or paragraph carries its picture too; its text is what was meant.
  const text = data?.getData('text/plain') ?? '';
  const file = data?.files[0];
  if (text.trim() !== '') {
    inspected.type(text);
  } else if (file) {
    inspected.takePicture(file);
  } else {
    return false;
  }
  return true;
}

/** Whether something is dragged that could be dropped here. */
export function canTake(data: DataTransfer | null): boolean {
  return data !== null && ['Files', 'text/plain'].some((type) => data.types.includes(type));
}
