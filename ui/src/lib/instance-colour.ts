/** Colours of instances, by the names of their tokens. */
const COLOURS = ['indigo', 'sky', 'moss', 'ochre', 'rust', 'rose', 'plum', 'slate'] as const;

export type InstanceColour = (typeof COLOURS)[number];

/**
 * The colour of an instance among all instances. It follows from the ids alone, and up to eight
 * instances have eight different colours.
 */
export function instanceColour(id: string, all: readonly string[]): InstanceColour {
  let free: InstanceColour[] = [];
  for (const other of [...new Set([...all, id])].sort()) {
    if (free.length === 0) free = [...COLOURS];
    const preferred = hash(other) % COLOURS.length;
    const inOrder = [...COLOURS.slice(preferred), ...COLOURS.slice(0, preferred)];
    const colour = inOrder.find((one) => free.includes(one)) ?? 'indigo';
    if (other === id) return colour;
    free = free.filter((one) => one !== colour);
  }
  return 'indigo';
}

/** FNV-1a over the UTF-16 units of a text. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  }
  return value;
}
