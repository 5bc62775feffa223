import { escapeCharacter } from '../engine/escape.js';

// How single values are written, the same in every text form.

let lastSecond = 0n;
let lastText = '1970-01-01T00:00:00';

/** Nanoseconds since 1970 as ISO 8601 with nine decimals, UTC. */
export function isoTime(nanoseconds: bigint): string {
  let second = nanoseconds / 1_000_000_000n;
  let rest = nanoseconds % 1_000_000_000n;
  if (rest < 0n) {
    second -= 1n;
    rest += 1_000_000_000n;
  }
  if (second !== lastSecond) {
    lastText = new Date(Number(second) * 1000).toISOString().slice(0, 19);
    lastSecond = second;
  }
  return `${lastText}.${rest.toString().padStart(9, '0')}Z`;
}

// JSON.stringify leaves these as they are; a terminal would act on them.
const unsafeInJson = /[\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** A JSON string; invisible characters are written as \uNNNN, which readers turn back. */
export function jsonString(text: string): string {
  return visible(JSON.stringify(text));
}

/** A whole JSON document on several lines, with a line end; numbers stay far below 2^53, so bigint becomes number. */
export function jsonDocument(value: unknown): string {
  const plain = (_key: string, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner);
  return `${visible(JSON.stringify(value, plain, 2))}\n`;
}

/** Between quotes, where all of these stand, they may be escapes. */
function visible(json: string): string {
  return json.replace(unsafeInJson, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const unsafeInCsv =
  /[\\\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g;
const needsQuotes = /[",\n\t]|^$|^ | $/;
const startsFormula = /^[=+\-@'\t]/;

/**
 * A CSV cell of captured text. Control characters but tab and newline become \xNN, a backslash becomes \\; what a spreadsheet
 * would take for a formula, and what starts with an apostrophe, gets an apostrophe in front. The empty text
 * is "", so that it differs from a missing value.
 */
export function csvText(text: string): string {
  const visible = text.replace(unsafeInCsv, (character) => (character === '\\' ? '\\\\' : escapeCharacter(character)));
  const safe = startsFormula.test(visible) ? `'${visible}` : visible;
  return csvQuoted(safe);
}

/** A CSV cell of text that needs no protection. */
export function csvQuoted(text: string): string {
  return needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
