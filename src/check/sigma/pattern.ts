// Texts of Sigma with their wildcards.

/** A piece of a pattern: a text as it is, * for any text, ? for any character, or one of several characters. */
export type Part = string | typeof anyText | typeof anyCharacter | typeof anyDash;

export const anyText = Symbol('*');
export const anyCharacter = Symbol('?');
/** What windash takes for the same. */
export const anyDash = Symbol('-');

export type Pattern = readonly Part[];

/** The characters that anyDash stands for. */
export const dashes = '-/\u2013\u2014\u2015';

/** Reads a text: a backslash takes the meaning of *, ? and \ away, and is itself before anything else. */
export function parsePattern(text: string): Pattern {
  const parts: Part[] = [];
  let plain = '';
  const take = (part: Part) => {
    if (plain !== '') parts.push(plain);
    plain = '';
    // Several in a row mean no more than one.
    if (part !== anyText || parts.at(-1) !== anyText) parts.push(part);
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    const next = text[at + 1];
    if (character === '\\' && (next === '*' || next === '?' || next === '\\')) {
      plain += next;
      at++;
    } else if (character === '*') {
      take(anyText);
    } else if (character === '?') {
      take(anyCharacter);
    } else {
      plain += character;
    }
  }
  if (plain !== '') parts.push(plain);
  return parts;
}

/** The text that a pattern without wildcards is; undefined for others. */
export function plainOf(pattern: Pattern): string | undefined {
  if (pattern.length === 0) return '';
  return pattern.length === 1 && typeof pattern[0] === 'string' ? pattern[0] : undefined;
}

/** The pattern with any text allowed before it. */
export function withAnyBefore(pattern: Pattern): Pattern {
  return pattern[0] === anyText ? pattern : [anyText, ...pattern];
}

/** The pattern with any text allowed after it. */
export function withAnyAfter(pattern: Pattern): Pattern {
  return pattern.at(-1) === anyText ? pattern : [...pattern, anyText];
}

/** Each dash and slash at the beginning of a word stands for every kind of dash. */
export function withAnyDash(pattern: Pattern): Pattern {
  return pattern.flatMap((part) => (typeof part === 'string' ? dashesIn(part) : [part]));
}

const wordDash = /(?<![\p{L}\p{N}_])[-/](?=[\p{L}\p{N}_])/gu;

function dashesIn(text: string): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const { index } of text.matchAll(wordDash)) {
    if (index > from) parts.push(text.slice(from, index));
    parts.push(anyDash);
    from = index + 1;
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}

/** A regular expression for RE2 and JavaScript (flags s and u) that the whole text has to match. */
export function patternRegex(pattern: Pattern, quote: (text: string) => string): string {
  return pattern
    .map((part) => {
      if (typeof part === 'string') return quote(part);
      if (part === anyText) return '.*';
      return part === anyCharacter ? '.' : `[${dashes}]`;
    })
    .join('');
}
