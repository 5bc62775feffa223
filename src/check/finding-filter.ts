import { SfkitError } from '../engine/errors.js';
import type { Finding } from './finding.js';
import { knownParts, valuesOf } from './finding-values.js';

// Conditions about findings, in the manner of Falco's: `proc.name = backup and file.path startswith /etc/`. Of several
// values one that fits is enough; a value that is missing fits nothing, so that `not` is true of it.

export type FindingFilter = (finding: Finding) => boolean;

/** Conditions are written by hand; longer and deeper ones are no conditions. */
const mostCharacters = 16_384;
const mostNested = 64;

/** Throws INVALID_ARGUMENT with what is wrong and where. */
export function parseFindingFilter(text: string): FindingFilter {
  if (text.length > mostCharacters)
    throw new SfkitError('INVALID_ARGUMENT', `a condition has at most ${mostCharacters} characters`);
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
    if (this.#next.kind !== 'end') refuse(this.#next, 'and, or or the end is expected');
    return filter;
  }

  get #next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #takes(kind: Token['kind'], word: string): boolean {
    const { kind: found, text: said } = this.#next;
    if (found !== kind || said !== word) return false;
    this.#at += 1;
    return true;
  }

  #or(): FindingFilter {
    const parts = [this.#and()];
    while (this.#takes('word', 'or')) parts.push(this.#and());
    return parts.length === 1 ? (parts[0] as FindingFilter) : (finding) => parts.some((part) => part(finding));
  }

  #and(): FindingFilter {
    const parts = [this.#not()];
    while (this.#takes('word', 'and')) parts.push(this.#not());
    return parts.length === 1 ? (parts[0] as FindingFilter) : (finding) => parts.every((part) => part(finding));
  }

  #not(): FindingFilter {
    if (this.#depth >= mostNested) refuse(this.#next, `at most ${mostNested} parts may stand in one another`);
    this.#depth += 1;
    try {
      if (this.#takes('word', 'not')) {
        const part = this.#not();
        return (finding) => !part(finding);
      }
      if (!this.#takes('sign', '(')) return this.#check();
      const inner = this.#or();
      if (!this.#takes('sign', ')')) refuse(this.#next, ') is expected');
      return inner;
    } finally {
      this.#depth -= 1;
    }
  }

  #check(): FindingFilter {
    const name = this.#next;
    if (name.kind !== 'word' || keywords.has(name.text))
      refuse(name, 'a name is expected, as in process.name = backup');
    const known = knownParts(name.text);
    if (known !== undefined) refuse(name, `findings have ${known.join(', ')}; one of these is expected`);
    this.#at += 1;
    const operator = this.#next;
    const isKnown = operator.kind !== 'text' && operators.includes(operator.text);
    if (!isKnown) refuse(operator, `${operators.slice(0, -1).join(', ')} or exists is expected`);
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
      refuse(token, 'a number is expected');
    const compare = comparisons[operator.text === '!=' ? '=' : operator.text] as Compare;
    const fits: FindingFilter = (finding) => values(finding).some((value) => compare(value, wanted));
    return operator.text === '!=' ? (finding) => !fits(finding) : fits;
  }

  #list(): string[] {
    if (!this.#takes('sign', '(')) refuse(this.#next, '( is expected');
    const items: string[] = [];
    if (this.#takes('sign', ')')) return items;
    do items.push(this.#value());
    while (this.#takes('sign', ','));
    if (!this.#takes('sign', ')')) refuse(this.#next, ', or ) is expected');
    return items;
  }

  #value(): string {
    const { kind, text: said } = this.#next;
    if (kind !== 'word' && kind !== 'text') refuse(this.#next, 'a value is expected');
    this.#at += 1;
    return said;
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
      refuse({ kind: 'end', text: source.charAt(at), column }, 'a name, an operator or a value is expected');
    const { sign, quoted, word } = found.groups ?? {};
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, column });
    if (quoted !== undefined) tokens.push({ kind: 'text', text: quoted.slice(1, -1).replace(/\\(.)/gs, '$1'), column });
    if (word !== undefined) tokens.push({ kind: 'word', text: word, column });
    at = token.lastIndex;
  }
  return [...tokens, { kind: 'end', text: '', column: source.length + 1 }];
}

/** * stands for any text, ? for one character. Steps are at most both lengths multiplied. */
export function matchesGlob(value: string, pattern: string): boolean {
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let mark = 0;
  while (at < value.length) {
    const wanted = pattern.charAt(inPattern);
    if (inPattern < pattern.length && wanted !== '*' && (wanted === '?' || wanted === value.charAt(at))) {
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

function refuse({ column, text: said, kind }: Token, message: string): never {
  const found = kind === 'end' && said === '' ? 'the end' : `'${said}'`;
  throw new SfkitError('INVALID_ARGUMENT', `condition, column ${column}: ${message}, found ${found}`);
}
