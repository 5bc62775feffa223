import { escapeCharacter, escapeHidden, escapeJson } from '../engine/escape.js';

// Single values, written the same way in every text format.

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

/** A JSON string; hidden characters are written as \uNNNN, which JSON readers decode. */
export function jsonString(text: string): string {
  return escapeJson(JSON.stringify(text));
}

/** The value of a text of JSON; any other text as a JSON string. */
export function jsonValue(text: string): string {
  try {
    return escapeJson(JSON.stringify(JSON.parse(text)));
  } catch {
    return jsonString(text);
  }
}

/**
 * A JSON document on several lines, with a final newline. Values stay far below 2^53, so bigint
 * becomes number.
 */
export function jsonDocument(value: unknown): string {
  const plain = (_key: string, inner: unknown) =>
    typeof inner === 'bigint' ? Number(inner) : inner;
  return `${escapeJson(JSON.stringify(value, plain, 2))}\n`;
}

// Characters that spreadsheets read as =, +, - and @: also full-width, small, superscript and
// subscript forms, and the minus sign.
const formulaSigns =
  '=+\\-@\\uff1d\\uff0b\\uff0d\\uff20\\ufe66\\ufe62\\ufe63\\ufe6b\\u207a-\\u207c\\u208a-\\u208c\\u2212\\ufb29';
const isSign = new RegExp(`^[${formulaSigns}]`);
const isRisky = new RegExp(`^(?:['\\t\\n]| *[${formulaSigns}])`);
const needsQuotes = /[",\n\t]|^$|^ | $/;

/**
 * A CSV cell of captured text. Hidden characters except tab and newline become escapes, and a
 * backslash becomes \\. An apostrophe precedes text that a spreadsheet could take for a formula, or
 * that starts with an apostrophe, a tab or a newline. The empty text is "", so that it differs from
 * a missing value.
 */
export function csvText(text: string): string {
  const visible = escapeHidden(text.replaceAll('\\', '\\\\'), (character) =>
    isBlank(character) ? character : escapeCharacter(character),
  );
  const safe = /[\t\n]/.test(visible) ? escapeBeforeSigns(visible) : visible;
  return csvQuoted(isRisky.test(visible) || isRisky.test(safe) ? `'${safe}` : safe);
}

/** Ensures that no line starts with a formula, for readers that split at every newline. */
function escapeBeforeSigns(text: string): string {
  return text.replace(/[ \t\n]+/g, (blanks, at: number) =>
    isSign.test(text.charAt(at + blanks.length))
      ? blanks.replace(/[\t\n]/g, escapeCharacter)
      : blanks,
  );
}

function isBlank(character: string): boolean {
  return character === '\t' || character === '\n';
}

/** A CSV cell of text that needs no protection. */
export function csvQuoted(text: string): string {
  return needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
