/** A token of JSON text, verbatim. */
export type Token = {
  kind: 'key' | 'string' | 'number' | 'word' | 'mark' | 'space';
  text: string;
  /** Number of objects and arrays around it. */
  depth: number;
};

const PIECE = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[a-zA-Z]+|[{}[\],:]|\s+|./gsu;
const BEFORE_COLON = /^\s*:/u;

/** Splits JSON text into tokens. Joined they are the same text. */
export function tokens(json: string): Token[] {
  const found: Token[] = [];
  let depth = 0;
  for (const match of json.matchAll(PIECE)) {
    const text = match[0];
    if (text === '}' || text === ']') depth -= 1;
    const rest = json.slice(match.index + text.length, match.index + text.length + 64);
    found.push({ kind: kindOf(text, rest), text, depth });
    if (text === '{' || text === '[') depth += 1;
  }
  return found;
}

function kindOf(text: string, rest: string): Token['kind'] {
  if (text.startsWith('"')) return BEFORE_COLON.test(rest) ? 'key' : 'string';
  if (/^[-\d]/u.test(text)) return 'number';
  if (/^[a-zA-Z]/u.test(text)) return 'word';
  return text.trim() === '' ? 'space' : 'mark';
}

/** Returns the value of a string token. */
export function textOf(token: Token): string {
  return String(JSON.parse(token.text));
}
