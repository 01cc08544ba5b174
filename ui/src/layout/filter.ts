/**
 * How well a text answers a query: the higher the better, and null where it does not. Every word
 * of the query has to be found; words that begin as the query does count most, letters that only
 * come in the right order least.
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

/** Those that answer the query, best first, and otherwise in their order. */
export function filter<T>(items: T[], textOf: (item: T) => string, query: string): T[] {
  return items
    .map((item) => ({ item, found: score(textOf(item), query) }))
    .filter((scored): scored is { item: T; found: number } => scored.found !== null)
    .sort((a, b) => b.found - a.found)
    .map(({ item }) => item);
}
