// Sigma texts with wildcards.

/** A piece of a pattern: literal text, * (any text), ? (any character), or any kind of dash. */
export type Part = string | typeof anyText | typeof anyCharacter | typeof anyDash;

export const anyText = Symbol('*');
export const anyCharacter = Symbol('?');
/** Any character that the modifier windash treats as a dash. */
export const anyDash = Symbol('-');

export type Pattern = readonly Part[];

/** The characters that anyDash matches. */
export const dashes = '-/\u2013\u2014\u2015';

/** Parses a text: a backslash escapes *, ? and \, and is literal before anything else. */
export function parsePattern(text: string): Pattern {
  const parts: Part[] = [];
  let plain = '';
  const take = (part: Part) => {
    if (plain !== '') parts.push(plain);
    plain = '';
    // Consecutive * are equal to one.
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

/** The text of a pattern without wildcards; undefined for other patterns. */
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

/** Replaces each dash or slash at the start of a word by anyDash. */
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

/** A regular expression for RE2 and JavaScript (flags s and u). It must match the whole text. */
export function patternRegex(pattern: Pattern, quote: (text: string) => string): string {
  return pattern
    .map((part) => {
      if (typeof part === 'string') return quote(part);
      if (part === anyText) return '.*';
      return part === anyCharacter ? '.' : `[${dashes}]`;
    })
    .join('');
}
