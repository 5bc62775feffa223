// Captured strings are an attacker's: nothing of them may steer a terminal. C0 and C1 controls, DEL and the
// marks that reorder or hide text are written as escapes.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** The text with everything that is not plainly visible written as \xNN or \uNNNN. */
export function escapeForTerminal(text: string): string {
  return text.replace(unsafe, escapeCharacter);
}

/** \xNN for a code below 256, else \uNNNN. */
export function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
