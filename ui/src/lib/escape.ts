import { formatDateTime } from './time-format';

/**
 * Invisible characters and characters that change the direction or the lines of the text around them:
 * control characters, separators of lines and paragraphs, and the format characters of Unicode.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A time in a sentence of the Rust side: `2026-11-29T06:26:40Z`. */
const UTC_TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/gu;

const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const hex = (code: number) => code.toString(16);

/** Escapes such characters in untrusted text as the command line does: `rlo\u{202e}evil`. */
export function escapeHidden(text: string): string {
  return text.replace(HIDDEN, (hidden) => {
    return SHORT[hidden] ?? `\\u{${hex(hidden.codePointAt(0) ?? 0)}}`;
  });
}

/** A formatSentence of the Rust side, which may quote texts of others, with its times in this computer's zone. */
export function formatSentence(text: string): string {
  return escapeHidden(text).replace(UTC_TIME, (moment) => formatDateTime(moment));
}

/** Escapes such characters in JSON without a change of meaning. Line breaks between members stay. */
export function escapeHiddenJson(json: string): string {
  return json.replace(HIDDEN, (hidden) => {
    if (hidden === '\n') return hidden;
    return hidden
      .split('')
      .map((unit) => `\\u${hex(unit.charCodeAt(0)).padStart(4, '0')}`)
      .join('');
  });
}
