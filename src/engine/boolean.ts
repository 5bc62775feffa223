import { switchWords } from './variables.gen.js';

export { booleanWords } from './variables.gen.js';

/** Reads a switch in any case: 1, true, yes, or 0, false, no; undefined for another text. */
export function booleanOf(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (switchWords.on.includes(word)) return true;
  return switchWords.off.includes(word) ? false : undefined;
}
