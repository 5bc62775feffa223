import { hiddenCharacters } from './text.gen.js';

// Captured strings and file names are an attacker's. What of them is hidden (native/tables/text.json: controls,
// invisible characters, blanks that look like a space, what is not assigned) is written as an escape wherever people or
// spreadsheets read. Each form of output has its own escapes, all have the same characters: add a form here.
// native/src/base/escape.h does the same for text that the engine writes.

const hidden = new RegExp(`[${hiddenCharacters}]`, 'gu');
const printable = /^[\x20-\x7e]*$/;

/** The text with each hidden character as `write` gives it. */
export function escapeHidden(text: string, write: (character: string) => string): string {
  return printable.test(text) ? text : text.replace(hidden, write);
}

/** One line for a terminal: hidden characters are \xNN, \uNNNN or \UNNNNNNNN. */
export function escapeForTerminal(text: string): string {
  return escapeHidden(text, escapeCharacter);
}

/** \xNN for a code below 256, \uNNNN up to U+FFFF, else \UNNNNNNNN. */
export function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

/** JSON with the same values: in its strings hidden characters are \uNNNN, beyond U+FFFF two of them. */
export function escapeJson(json: string): string {
  // Line ends between values; in strings JSON has none.
  return escapeHidden(json, (character) => (character === '\n' ? character : jsonEscape(character)));
}

function jsonEscape(character: string): string {
  let units = '';
  for (let unit = 0; unit < character.length; unit++) units += `\\u${hex(character.charCodeAt(unit), 4)}`;
  return units;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
