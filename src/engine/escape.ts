import { hiddenCharacters } from './text.gen.js';

// An attacker can control captured strings and file names. Wherever people or spreadsheets read
// them, their hidden characters (native/tables/text.json: controls, invisible characters, unusual
// blanks, unassigned code points) are escaped. Each output format has its own escapes for the same
// characters; add new formats here. native/src/base/escape.h does the same for text that the engine
// writes.

const hidden = new RegExp(`[${hiddenCharacters}]`, 'gu');
const printable = /^[\x20-\x7e]*$/;

/** Replaces each hidden character with the result of `write`. */
export function escapeHidden(text: string, write: (character: string) => string): string {
  return printable.test(text) ? text : text.replace(hidden, write);
}

/** Text for one line of a terminal: hidden characters become \xNN, \uNNNN or \UNNNNNNNN. */
export function escapeForTerminal(text: string): string {
  return escapeHidden(text, escapeCharacter);
}

/** \xNN for a code below 256, \uNNNN up to U+FFFF, else \UNNNNNNNN. */
export function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

/** Equivalent JSON: hidden characters in strings become \uNNNN, a pair of them beyond U+FFFF. */
export function escapeJson(json: string): string {
  // Newlines are between values; JSON strings contain none.
  return escapeHidden(json, (character) =>
    character === '\n' ? character : jsonEscape(character),
  );
}

function jsonEscape(character: string): string {
  let units = '';
  for (let unit = 0; unit < character.length; unit++)
    units += `\\u${hex(character.charCodeAt(unit), 4)}`;
  return units;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
