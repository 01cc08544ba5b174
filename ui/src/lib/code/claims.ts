import type { ClaimTime } from '../../generated/types';
import { escapeHiddenJson } from '../escape';
import { textOf, tokens, type Token } from '../json';

export type ClaimLine = {
  tokens: Token[];
  /** The time in the member on this line. */
  time: ClaimTime | null;
};

/** Splits the claims into lines, each with the time in its member. */
export function claimLines(json: string, times: ClaimTime[]): ClaimLine[] {
  const lines: ClaimLine[] = [{ tokens: [], time: null }];
  for (const token of tokens(json)) {
    // Only white space holds line breaks, because a string in JSON writes them as \n.
    for (const [index, text] of token.text.split('\n').entries()) {
      if (index > 0) lines.push({ tokens: [], time: null });
      const line = lines.at(-1);
      if (!line || text === '') continue;
      line.tokens.push({ ...token, text: escapeHiddenJson(text) });
      if (token.kind === 'key' && token.depth === 1) {
        const member = textOf(token);
        line.time = times.find((time) => time.member === member) ?? null;
      }
    }
  }
  return lines;
}
