// Tokens of a policy. The longest match wins; among equally long ones, the first kind. Whitespace
// has no meaning.

export type TokenKind =
  | 'keyword'
  | 'operator'
  | 'symbol'
  | 'define'
  | 'severity'
  | 'word'
  | 'string'
  | 'other'
  | 'end';

export interface Token {
  kind: TokenKind;
  text: string;
  /** Offset in the file. */
  start: number;
}

/** Reserved words: they must be quoted, even as values. */
const keywords = new Set([
  ...[
    'rule',
    'filter',
    'drop',
    'macro',
    'list',
    'name',
    'items',
    'condition',
    'desc',
    'actions',
    'output',
  ],
  ...[
    'priority',
    'tags',
    'prefilter',
    'enabled',
    'warn_evttypes',
    'skip-if-unknown-filter',
    'append',
  ],
  'required_engine_version',
]);

const wordOperators = new Set([
  ...[
    'and',
    'or',
    'not',
    'in',
    'contains',
    'icontains',
    'startswith',
    'endswith',
    'pmatch',
    'exists',
  ],
]);

const severities = new Set([
  ...['high', 'medium', 'low'],
  ...[
    'emergency',
    'alert',
    'critical',
    'error',
    'warning',
    'notice',
    'info',
    'informational',
    'debug',
  ],
]);

const path = '[a-zA-Z0-9/.][a-zA-Z0-9_\\-./*]*';
const identifier = `[a-zA-Z0-9_](?:[a-zA-Z0-9_\\-.*]|:?\\[${path}(?::${path})*\\])*`;
/** An attribute, a path, a number or a tag; the longest match counts. */
const words = [identifier, path, `${identifier}:${identifier}`].map(
  (pattern) => new RegExp(pattern, 'y'),
);

const wholeIdentifier = new RegExp(`^${identifier}$`);

/** Whether a word can name a macro or a list. */
export function isIdentifier(text: string): boolean {
  return wholeIdentifier.test(text);
}

const skipped = /(?:[ \t\r\n\f]+|#[^\r\n]*)*/y;
const define = /:(?: *>)?/y;
const symbolOperators = /<=|>=|!=|<|>|=/y;
const symbols = '[](),-';

/**
 * The tokens of a policy; the last one is its end. `isExact`: a quoted text ends at the next quote
 * of its kind, and a number may have a sign.
 */
export function tokenize(text: string, isExact = false): Token[] {
  const tokens: Token[] = [];
  const lines = new Lines(text);
  for (let at = endOf(skipped, text, 0); at < text.length; ) {
    const token = (isExact ? exactTokenAt(text, at) : undefined) ?? tokenAt(text, at, lines);
    tokens.push(token);
    at = endOf(skipped, text, at + token.text.length);
  }
  tokens.push({ kind: 'end', text: '', start: text.length });
  return tokens;
}

/** Finds line ends. Positions must be passed in ascending order. */
class Lines {
  readonly #text: string;
  #end = -1;

  constructor(text: string) {
    this.#text = text;
  }

  endFrom(at: number): number {
    if (at > this.#end) {
      lineBreak.lastIndex = at;
      this.#end = lineBreak.exec(this.#text)?.index ?? this.#text.length;
    }
    return this.#end;
  }
}

const lineBreak = /[\r\n]/g;

function tokenAt(text: string, start: number, lines: Lines): Token {
  const wordEnd = Math.max(...words.map((pattern) => endOf(pattern, text, start)));
  if (wordEnd > start) return wordToken(text.slice(start, wordEnd), start);
  const stringEnd = endOfString(text, start, 0, lines.endFrom(start));
  if (stringEnd > start) return { kind: 'string', text: text.slice(start, stringEnd), start };
  const first = text[start] as string;
  if (symbols.includes(first)) return { kind: 'symbol', text: first, start };
  const defineEnd = endOf(define, text, start);
  if (defineEnd > start) return { kind: 'define', text: text.slice(start, defineEnd), start };
  const operatorEnd = endOf(symbolOperators, text, start);
  if (operatorEnd > start) return { kind: 'operator', text: text.slice(start, operatorEnd), start };
  return { kind: 'other', text: String.fromCodePoint(text.codePointAt(start) as number), start };
}

const signedNumber = /-[0-9]+(?:\.[0-9]+)?/y;
const plainString = /"[^"\r\n]*"|'[^'\r\n]*'/y;

function exactTokenAt(text: string, start: number): Token | undefined {
  for (const [kind, pattern] of [
    ['string', plainString],
    ['word', signedNumber],
  ] as const) {
    const end = endOf(pattern, text, start);
    if (end > start) return { kind, text: text.slice(start, end), start };
  }
  const first = text[start] as string;
  return first === '"' || first === "'" ? { kind: 'other', text: first, start } : undefined;
}

function wordToken(text: string, start: number): Token {
  if (keywords.has(text)) return { kind: 'keyword', text, start };
  if (wordOperators.has(text)) return { kind: 'operator', text, start };
  return { kind: severities.has(text.toLowerCase()) ? 'severity' : 'word', text, start };
}

/** End of the match that starts here; `start` without a match. */
function endOf(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : start;
}

/** Maximum depth of nested quotes. */
const maxQuoteDepth = 4;

/**
 * End of a quoted text on the same line: the next quote of its kind, or the one after nested
 * quotes. The longest match counts: `"" or a = ""` is one text, as in the reference implementation.
 */
function endOfString(text: string, start: number, depth: number, lineEnd: number): number {
  const quote = ['"', "'", '\\"'].find((mark) => text.startsWith(mark, start));
  if (quote === undefined) return start;
  const inside = start + quote.length;
  const close = text.indexOf(quote, inside);
  const nested = depth < maxQuoteDepth ? endOfString(text, inside, depth + 1, lineEnd) : inside;
  if (nested > inside && nested < lineEnd && text.startsWith(quote, nested))
    return nested + quote.length;
  return close >= 0 && close < lineEnd ? close + quote.length : start;
}

/** Removes one quote of either kind at each end. */
export function withoutQuotes(text: string): string {
  const end = text.slice(/^["']/.test(text) ? 1 : 0);
  return /["']$/.test(end) ? end.slice(0, -1) : end;
}
