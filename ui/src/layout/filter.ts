/**
 * Returns how well a text matches a query, higher is better; null without a match. Every word of the
 * query must match. A match at the start of the text counts most, letters in order count least.
 */
export function score(text: string, query: string): number | null {
  const inText = text.toLocaleLowerCase();
  let total = 0;
  for (const word of query.toLocaleLowerCase().split(/\s+/u).filter(Boolean)) {
    const found = scoreWord(inText, word);
    if (found === null) return null;
    total += found;
  }
  return total;
}

function scoreWord(text: string, word: string): number | null {
  if (text.startsWith(word)) return 4;
  if (text.includes(` ${word}`)) return 3;
  if (text.includes(word)) return 2;
  let from = 0;
  for (const letter of word) {
    const at = text.indexOf(letter, from);
    if (at < 0) return null;
    from = at + letter.length;
  }
  return 1;
}

/** Returns the items that match the query, best first. Equal items keep their order. */
export function filter<T>(items: T[], textOf: (item: T) => string, query: string): T[] {
  return items
    .map((item) => ({ item, found: score(textOf(item), query) }))
    .filter((scored): scored is { item: T; found: number } => scored.found !== null)
    .sort((a, b) => b.found - a.found)
    .map(({ item }) => item);
}
