const words: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  yes: true,
  '0': false,
  false: false,
  no: false,
};

/** The accepted values of a switch in an environment variable, for messages. */
export const booleanWords = '1, true, yes, 0, false or no';

/** Reads a switch in any case: 1, true, yes, or 0, false, no; undefined for another text. */
export function booleanOf(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return Object.hasOwn(words, word) ? words[word] : undefined;
}
