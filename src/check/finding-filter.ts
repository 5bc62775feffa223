import { SfkitError } from '../engine/errors.js';
import type { Finding } from './finding.js';
import { knownParts, valuesOf } from './finding-values.js';

// Conditions about findings, in Falco's syntax: `proc.name = backup and file.path startswith
// /etc/`. If a name has several values, one match is enough. A missing value matches nothing, so
// `not` is true for it.

export type FindingFilter = (finding: Finding) => boolean;

/** Conditions are written by hand. Anything longer or deeper is a mistake. */
const maxCharacters = 16_384;
const maxNested = 64;

/** Throws INVALID_ARGUMENT with the problem and its column. */
export function parseFindingFilter(text: string): FindingFilter {
  if (text.length > maxCharacters)
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `the condition is too long: at most ${maxCharacters} characters are allowed`,
    );
  return new Parser(tokensOf(text)).whole();
}

interface Token {
  kind: 'word' | 'text' | 'sign' | 'end';
  text: string;
  /** From 1. */
  column: number;
}

type Compare = (value: string | number | boolean, wanted: string) => boolean;

const text = (value: string | number | boolean) => String(value);
const number = (compare: (one: number, other: number) => boolean): Compare => {
  return (value, wanted) => typeof value === 'number' && compare(value, Number(wanted));
};

const comparisons: Readonly<Record<string, Compare>> = {
  '=': (value, wanted) => text(value) === wanted,
  '==': (value, wanted) => text(value) === wanted,
  '<': number((one, other) => one < other),
  '<=': number((one, other) => one <= other),
  '>': number((one, other) => one > other),
  '>=': number((one, other) => one >= other),
  contains: (value, wanted) => text(value).includes(wanted),
  icontains: (value, wanted) => text(value).toLowerCase().includes(wanted.toLowerCase()),
  startswith: (value, wanted) => text(value).startsWith(wanted),
  endswith: (value, wanted) => text(value).endsWith(wanted),
  glob: (value, wanted) => matchesGlob(text(value), wanted),
};

const operators = [...Object.keys(comparisons), '!=', 'in', 'exists'];
const keywords = new Set(['and', 'or', 'not', ...operators]);

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): FindingFilter {
    const filter = this.#or();
    if (this.#next.kind !== 'end') fail(this.#next, "expected 'and', 'or' or the end");
    return filter;
  }

  get #next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #accept(kind: Token['kind'], word: string): boolean {
    const { kind: nextKind, text: nextText } = this.#next;
    if (nextKind !== kind || nextText !== word) return false;
    this.#at += 1;
    return true;
  }

  #or(): FindingFilter {
    const parts = [this.#and()];
    while (this.#accept('word', 'or')) parts.push(this.#and());
    return parts.length === 1
      ? (parts[0] as FindingFilter)
      : (finding) => parts.some((part) => part(finding));
  }

  #and(): FindingFilter {
    const parts = [this.#not()];
    while (this.#accept('word', 'and')) parts.push(this.#not());
    return parts.length === 1
      ? (parts[0] as FindingFilter)
      : (finding) => parts.every((part) => part(finding));
  }

  #not(): FindingFilter {
    if (this.#depth >= maxNested) fail(this.#next, `expected at most ${maxNested} nested parts`);
    this.#depth += 1;
    try {
      if (this.#accept('word', 'not')) {
        const part = this.#not();
        return (finding) => !part(finding);
      }
      if (!this.#accept('sign', '(')) return this.#check();
      const inner = this.#or();
      if (!this.#accept('sign', ')')) fail(this.#next, "expected ')'");
      return inner;
    } finally {
      this.#depth -= 1;
    }
  }

  #check(): FindingFilter {
    const name = this.#next;
    if (name.kind !== 'word' || keywords.has(name.text))
      fail(name, 'expected a name, as in process.name = backup');
    const known = knownParts(name.text);
    if (known !== undefined) fail(name, `expected one of ${known.join(', ')}`);
    this.#at += 1;
    const operator = this.#next;
    const isKnown = operator.kind !== 'text' && operators.includes(operator.text);
    if (!isKnown) fail(operator, `expected ${operators.slice(0, -1).join(', ')} or exists`);
    this.#at += 1;
    const values = (finding: Finding) => valuesOf(finding, name.text);
    if (operator.text === 'exists') return (finding) => values(finding).length > 0;
    if (operator.text === 'in') {
      const wanted = new Set(this.#list());
      return (finding) => values(finding).some((value) => wanted.has(text(value)));
    }
    const token = this.#next;
    const wanted = this.#value();
    if (/^[<>]/.test(operator.text) && (wanted === '' || Number.isNaN(Number(wanted))))
      fail(token, 'expected a number');
    const compare = comparisons[operator.text === '!=' ? '=' : operator.text] as Compare;
    const matches: FindingFilter = (finding) =>
      values(finding).some((value) => compare(value, wanted));
    return operator.text === '!=' ? (finding) => !matches(finding) : matches;
  }

  #list(): string[] {
    if (!this.#accept('sign', '(')) fail(this.#next, "expected '('");
    const items: string[] = [];
    if (this.#accept('sign', ')')) return items;
    do items.push(this.#value());
    while (this.#accept('sign', ','));
    if (!this.#accept('sign', ')')) fail(this.#next, "expected ',' or ')'");
    return items;
  }

  #value(): string {
    const { kind, text: found } = this.#next;
    if (kind !== 'word' && kind !== 'text') fail(this.#next, 'expected a value');
    this.#at += 1;
    return found;
  }
}

const token =
  /\s+|(?<sign><=|>=|!=|==|[=<>(),])|(?<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<word>[^\s()"'=,<>!]+)/sy;

function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    token.lastIndex = at;
    const found = token.exec(source);
    const column = at + 1;
    if (found === null)
      fail(
        { kind: 'end', text: source.charAt(at), column },
        'expected a name, an operator or a value',
      );
    const { sign, quoted, word } = found.groups ?? {};
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, column });
    if (quoted !== undefined)
      tokens.push({ kind: 'text', text: quoted.slice(1, -1).replace(/\\(.)/gs, '$1'), column });
    if (word !== undefined) tokens.push({ kind: 'word', text: word, column });
    at = token.lastIndex;
  }
  return [...tokens, { kind: 'end', text: '', column: source.length + 1 }];
}

/** `*` matches any text, `?` one character. Takes at most value.length × pattern.length steps. */
export function matchesGlob(value: string, pattern: string): boolean {
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let mark = 0;
  while (at < value.length) {
    const wanted = pattern.charAt(inPattern);
    if (
      inPattern < pattern.length &&
      wanted !== '*' &&
      (wanted === '?' || wanted === value.charAt(at))
    ) {
      at += 1;
      inPattern += 1;
    } else if (wanted === '*') {
      star = inPattern++;
      mark = at;
    } else if (star >= 0) {
      inPattern = star + 1;
      at = ++mark;
    } else {
      return false;
    }
  }
  while (pattern.charAt(inPattern) === '*') inPattern += 1;
  return inPattern === pattern.length;
}

function fail({ column, text: source, kind }: Token, message: string): never {
  const found = kind === 'end' && source === '' ? 'the end' : `'${source}'`;
  throw new SfkitError(
    'INVALID_ARGUMENT',
    `condition, column ${column}: ${message}, found ${found}`,
  );
}
