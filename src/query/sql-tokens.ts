// Splits SQL into tokens as DuckDB's scanner does. Used where no valid statement exists yet: in the
// shell and for errors.

export type TokenKind =
  | 'word'
  | 'name'
  | 'text'
  | 'dollar'
  | 'number'
  | 'parameter'
  | 'symbol'
  | 'comment'
  | 'blank';

export interface Token {
  kind: TokenKind;
  /** As written, with its quotes. */
  text: string;
  /** Index of its first character. */
  start: number;
  /** The text ends before its closing quote or mark. */
  isOpen: boolean;
}

const blank = /\s+/y;
const word = /[\p{L}_\u{80}-\u{10ffff}][\p{L}\p{N}_$\u{80}-\u{10ffff}]*/uy;
const number = /(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const parameter = /\$(?:[A-Za-z_]\w*|\d+)|\?/y;
const dollarQuote = /\$(?:[A-Za-z_\u{80}-\u{10ffff}][\w\u{80}-\u{10ffff}]*)?\$/uy;
const operator = /::|->>|->|<=|>=|<>|!=|==|\|\||&&|!?~~?\*?|:=|\.\.|[\s\S]/uy;

/** The tokens of SQL from `start` on, in order; together they are the whole text. */
export function tokensOf(sql: string, start = 0): Token[] {
  const tokens: Token[] = [];
  for (let index = start; index < sql.length; ) {
    const token = tokenAt(sql, index);
    tokens.push(token);
    index += token.text.length;
  }
  return tokens;
}

/** The tokens that are neither blanks nor complete comments. */
export function meaningful(tokens: readonly Token[]): Token[] {
  return tokens.filter(({ kind, isOpen }) => isOpen || (kind !== 'blank' && kind !== 'comment'));
}

function tokenAt(sql: string, start: number): Token {
  const closed = (kind: TokenKind, text: string): Token => ({ kind, text, start, isOpen: false });
  const to = (kind: TokenKind, end: number | undefined): Token => ({
    kind,
    text: sql.slice(start, end ?? sql.length),
    start,
    isOpen: end === undefined,
  });
  const blanks = matchAt(blank, sql, start);
  if (blanks !== undefined) return closed('blank', blanks);
  if (sql.startsWith('--', start)) {
    const end = sql.indexOf('\n', start);
    return closed('comment', sql.slice(start, end < 0 ? sql.length : end));
  }
  if (sql.startsWith('/*', start)) return to('comment', endOfComment(sql, start));
  const first = sql[start] as string;
  if (first === "'") return to('text', endOfQuoted(sql, start + 1, "'", false));
  if (/[eExXbB]/.test(first) && sql[start + 1] === "'")
    return to('text', endOfQuoted(sql, start + 2, "'", /[eE]/.test(first)));
  if (first === '"') return to('name', endOfQuoted(sql, start + 1, '"', false));
  const mark = matchAt(dollarQuote, sql, start);
  if (mark !== undefined) {
    const end = sql.indexOf(mark, start + mark.length);
    return to('dollar', end < 0 ? undefined : end + mark.length);
  }
  const value = matchAt(parameter, sql, start);
  if (value !== undefined) return closed('parameter', value);
  const digits = matchAt(number, sql, start);
  if (digits !== undefined) return closed('number', digits);
  const letters = matchAt(word, sql, start);
  if (letters !== undefined) return closed('word', letters);
  return closed('symbol', matchAt(operator, sql, start) as string);
}

function matchAt(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0];
}

/** Index after the closing quote; a doubled quote is part of the text. */
function endOfQuoted(
  sql: string,
  from: number,
  quote: string,
  hasEscapes: boolean,
): number | undefined {
  for (let index = from; index < sql.length; index++) {
    if (hasEscapes && sql[index] === '\\') index += 1;
    else if (sql[index] === quote) {
      if (sql[index + 1] !== quote) return index + 1;
      index += 1;
    }
  }
  return undefined;
}

/** Index after a comment; comments nest. */
function endOfComment(sql: string, start: number): number | undefined {
  let depth = 0;
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.index + 2;
  }
  return undefined;
}

/**
 * The name that a word or quoted name stands for, in lower case: SQL ignores the case of ASCII
 * letters.
 */
export function nameOf({ kind, text }: Token): string {
  const own = kind === 'name' ? text.replace(/^"|"$/g, '').replaceAll('""', '"') : text;
  return foldCase(own);
}

export function foldCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
