import type { Attachment } from 'svelte/attachments';

/** Sets a computed style. The CSP forbids style attributes in HTML and allows this. */
export function style(property: string, value: string): Attachment<HTMLElement> {
  return (element) => element.style.setProperty(property, value);
}
