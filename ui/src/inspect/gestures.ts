import type { Inspected } from './inspected.svelte';

/** Takes dropped or pasted data. Returns false if there is none to take. */
export function take(data: DataTransfer | null, inspected: Inspected): boolean {
  // A copied cell or paragraph also carries a picture. Its text is meant.
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

/** Whether the dragged data can be dropped here. */
export function canTake(data: DataTransfer | null): boolean {
  return data !== null && ['Files', 'text/plain'].some((type) => data.types.includes(type));
}
