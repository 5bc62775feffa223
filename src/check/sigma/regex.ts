import type { Mark } from '../falco/yaml.js';
import { excerpt, SigmaError, UnsupportedError } from './errors.js';

// Translates the PCRE syntax of rules to RE2, which DuckDB uses. Features that RE2 lacks throw an
// UnsupportedError that names them.

export interface RegexFlags {
  i?: boolean;
  m?: boolean;
  s?: boolean;
}

/** Maximum length of a pattern; nobody writes longer ones by hand. */
const maxLength = 10_000;

/** RE2's limit for repetitions, including nested ones. */
const maxRepeat = 1000;

/** Maximum characters and classes with repetitions, well below RE2's memory limit. */
const maxSize = 10_000;

/** Translates a pattern to RE2's syntax, with its flags in front. */
export function toRe2(source: string, flags: RegexFlags, mark: Mark): string {
  if (source.length > maxLength)
    throw new UnsupportedError(`a regular expression of more than ${maxLength} characters`);
  const on = (['i', 'm', 's'] as const).filter((flag) => flags[flag]).join('');
  const off = (['i', 'm', 's'] as const).filter((flag) => !flags[flag]).join('');
  return `(?${on}${off === '' ? '' : `-${off}`})${new Translator(source, flags.m === true, mark).translate()}`;
}

/** Quotes a text as a regular expression for RE2 and JavaScript with flag u. */
export function quoteRegex(text: string): string {
  // RE2 does not accept NUL, and JavaScript does not accept escaped letters.
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll('\0', '\\x00');
}

interface Group {
  multiline: boolean;
  repeat: number;
  size: number;
}

interface ClassItem {
  text: string;
  /** Code point of a single character. */
  code?: number;
}

const lookarounds: readonly [string, string][] = [
  ['?=', 'a lookahead'],
  ['?!', 'a negative lookahead'],
  ['?<=', 'a lookbehind'],
  ['?<!', 'a negative lookbehind'],
  ['?>', 'an atomic group'],
  ['?(', 'a conditional group'],
  ['?R', 'recursion'],
  ['?&', 'recursion'],
  ['?P>', 'recursion'],
  ['?P=', 'a backreference'],
  ['*', 'a verb of backtracking'],
];

const controls: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  f: '\f',
  v: '\v',
  a: '\x07',
  e: '\x1b',
};
const blank = '\\t\\n\\v\\f\\r ';

class Translator {
  readonly #characters: readonly string[];
  readonly #mark: Mark;
  readonly #source: string;
  readonly #stack: Group[] = [];
  #group: Group;
  #at = 0;
  #made = '';
  /** The last atom, which a quantifier would repeat; undefined if there is none. */
  #last: { repeat: number; size: number } | undefined;

  constructor(source: string, multiline: boolean, mark: Mark) {
    this.#source = source;
    this.#characters = [...source];
    this.#mark = mark;
    this.#group = { multiline, repeat: 1, size: 0 };
  }

  translate(): string {
    for (let next = this.#take(); next !== undefined; next = this.#take()) this.#element(next);
    if (this.#stack.length > 0) this.#fail("a '(' without its ')'");
    return this.#made;
  }

  #element(character: string): void {
    switch (character) {
      case '\\':
        this.#escape();
        return;
      case '[':
        this.#atom(this.#class());
        return;
      case '(':
        this.#open();
        return;
      case ')':
        this.#close();
        return;
      case '|':
        this.#finishAtom();
        this.#made += '|';
        return;
      case '*':
      case '+':
      case '?':
        this.#quantifier(character, 1);
        return;
      case '{': {
        const count = this.#count();
        if (count === undefined) this.#atom('\\{');
        else this.#quantifier(count.text, count.max);
        return;
      }
      case '$':
        this.#atom(this.#group.multiline ? '$' : '(?:\\n?\\z)');
        return;
      case '^':
      case '.':
        this.#atom(character);
        return;
      default:
        this.#atom(quoteRegex(character));
        return;
    }
  }

  #atom(text: string): void {
    this.#made += text;
    this.#finishAtom();
    this.#last = { repeat: 1, size: 1 };
  }

  /** Adds the last atom to its group: no quantifier follows it. */
  #finishAtom(): void {
    if (this.#last === undefined) return;
    this.#group.repeat = Math.max(this.#group.repeat, this.#last.repeat);
    this.#group.size += this.#last.size;
    if (this.#group.size > maxSize)
      this.#unsupported(`more than ${maxSize} characters, repetitions counted`);
    this.#last = undefined;
  }

  #quantifier(text: string, max: number): void {
    if (this.#last === undefined) this.#fail(`nothing before '${text}' to repeat`);
    const { repeat, size } = this.#last;
    if (repeat * max > maxRepeat) this.#unsupported(`more than ${maxRepeat} repetitions`);
    this.#made += text;
    if (this.#peek() === '?') this.#made += this.#take();
    else if (this.#peek() === '+') this.#unsupported(`a possessive quantifier '${text}+'`);
    this.#last = { repeat: repeat * max, size: size * max };
    this.#finishAtom();
  }

  /** Parses {n}, {n,} or {n,m} after the brace; undefined if the brace is a literal character. */
  #count(): { text: string; max: number } | undefined {
    const rest = this.#characters.slice(this.#at, this.#at + 24).join('');
    const match = /^(\d{0,9})(?:(,)(\d{0,9}))?\}/.exec(rest);
    if (match === null) return undefined;
    const [whole, least = '', comma, max = ''] = match;
    if (least === '' && max === '') return undefined;
    this.#at += whole.length;
    const from = Number(least);
    const to = comma === undefined || max === '' ? from : Number(max);
    if (to < from) this.#fail(`'{${whole}', whose maximum ${to} is less than its minimum ${from}`);
    const text = comma === undefined ? `{${from}}` : `{${from},${max === '' ? '' : to}}`;
    return { text, max: Math.max(to, 1) };
  }

  #open(): void {
    const rest = this.#characters.slice(this.#at, this.#at + 4).join('');
    const [, unsupported] = lookarounds.find(([start]) => rest.startsWith(start)) ?? [];
    if (unsupported !== undefined) this.#unsupported(unsupported);
    this.#finishAtom();
    if (rest.startsWith('?#')) {
      this.#comment();
      return;
    }
    let multiline = this.#group.multiline;
    if (!rest.startsWith('?')) {
      this.#made += '(';
    } else if (rest.startsWith('?|')) {
      this.#at += 2;
      this.#made += '(?:';
    } else if (/^\?(?:P?<|')/.test(rest)) {
      this.#name();
    } else {
      const flags = this.#flags();
      if (flags.on.includes('m')) multiline = true;
      if (flags.off.includes('m')) multiline = false;
      this.#made += `(?${flags.on}${flags.off === '' ? '' : `-${flags.off}`}${flags.isGroup ? ':' : ')'}`;
      if (!flags.isGroup) {
        this.#group.multiline = multiline;
        return;
      }
    }
    this.#stack.push(this.#group);
    this.#group = { multiline, repeat: 1, size: 0 };
  }

  #close(): void {
    const outer = this.#stack.pop();
    if (outer === undefined) this.#fail("a ')' without its '('");
    this.#finishAtom();
    this.#made += ')';
    this.#last = { repeat: this.#group.repeat, size: Math.max(this.#group.size, 1) };
    this.#group = outer;
  }

  #comment(): void {
    for (let next = this.#take(); next !== ')'; next = this.#take()) {
      if (next === undefined) this.#fail("a '(?#' without its ')'");
    }
  }

  /** Skips the name of a group, which does not matter. */
  #name(): void {
    const rest = this.#characters.slice(this.#at).join('');
    const match = /^\?(?:P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*')/.exec(rest);
    if (match === null) this.#fail('a group with an invalid name');
    this.#at += match[0].length;
    this.#made += '(?:';
  }

  #flags(): { on: string; off: string; isGroup: boolean } {
    const match = /^\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/.exec(
      this.#characters.slice(this.#at, this.#at + 40).join(''),
    );
    if (match === null) this.#fail("a '(?' with something unknown after it");
    const [whole, on = '', off = '', end] = match;
    const unknown = /[^imsUau]/.exec(on + off)?.[0];
    if (unknown !== undefined) this.#unsupported(`the flag '${unknown}'`);
    this.#at += whole.length;
    const known = (flags: string) => flags.replace(/[au]/g, '');
    const flags = { on: known(on), off: known(off), isGroup: end === ':' };
    // RE2 does not accept a flag group without flags.
    if (!flags.isGroup && flags.on + flags.off === '')
      return { ...flags, isGroup: false, on: 'U', off: 'U' };
    return flags;
  }

  #escape(): void {
    const next = this.#take();
    if (next === undefined) this.#fail('a backslash at its end');
    if (/[1-9kg]/.test(next)) this.#unsupported('a backreference');
    if (/[GKX]/.test(next)) this.#unsupported(`\\${next}`);
    switch (next) {
      case 's':
        this.#atom(`[${blank}]`);
        return;
      case 'S':
        this.#atom(`[^${blank}]`);
        return;
      case 'h':
        this.#atom('[\\t ]');
        return;
      case 'R':
        this.#atom('(?:\\r\\n|[\\n\\v\\f\\r])');
        return;
      case 'N':
        this.#atom('[^\\n]');
        return;
      case 'Z':
        this.#atom('(?:\\n?\\z)');
        return;
      case 'A':
      case 'z':
      case 'b':
      case 'B':
        this.#atom(`\\${next}`);
        return;
      case 'Q':
        this.#quoted();
        return;
      case 'E':
        return;
      default:
        this.#atom(this.#escaped(next).text);
        return;
    }
  }

  /** Literal text from \Q to \E. */
  #quoted(): void {
    while (this.#at < this.#characters.length) {
      const next = this.#take() as string;
      if (next === '\\' && this.#peek() === 'E') {
        this.#at++;
        return;
      }
      this.#atom(quoteRegex(next));
    }
  }

  /** An escape that means the same within a class. */
  #escaped(next: string): ClassItem {
    if (/[dDwW]/.test(next)) return { text: `\\${next}` };
    if (/[pP]/.test(next)) return { text: this.#property(next) };
    if (controls[next] !== undefined) return character(controls[next].codePointAt(0) as number);
    if (next === 'x') return character(this.#hexadecimal(2));
    if (next === 'u') return character(this.#hexadecimal(4));
    if (/[0-7]/.test(next))
      return character(Number.parseInt(next + this.#digits(/^[0-7]{0,2}/), 8));
    if (next === 'c')
      return character(((this.#take() ?? '@').toUpperCase().codePointAt(0) as number) ^ 64);
    if (/[A-Za-z0-9]/.test(next)) this.#fail(`an unknown escape '\\${next}'`);
    return character(next.codePointAt(0) as number);
  }

  #property(letter: string): string {
    const rest = this.#characters.slice(this.#at, this.#at + 40).join('');
    const match = /^(?:\{\^?[A-Za-z_]+\}|[A-Z])/.exec(rest);
    if (match === null) this.#fail(`'\\${letter}' without the name of a class`);
    this.#at += match[0].length;
    return `\\${letter}${match[0]}`;
  }

  #hexadecimal(digits: number): number {
    if (this.#peek() === '{') {
      const [whole, inner] =
        /^\{([0-9a-fA-F]{1,6})\}/.exec(this.#characters.slice(this.#at, this.#at + 8).join('')) ??
        [];
      if (whole === undefined || inner === undefined) this.#fail("'\\x{' without digits and '}'");
      this.#at += whole.length;
      return Number.parseInt(inner, 16);
    }
    const found = this.#digits(digits === 2 ? /^[0-9a-fA-F]{0,2}/ : /^[0-9a-fA-F]{0,4}/);
    return found === '' ? 0 : Number.parseInt(found, 16);
  }

  #digits(pattern: RegExp): string {
    const [found = ''] =
      pattern.exec(this.#characters.slice(this.#at, this.#at + 4).join('')) ?? [];
    this.#at += found.length;
    return found;
  }

  #class(): string {
    let made = '[';
    if (this.#peek() === '^') made += this.#take();
    for (let isFirst = true; ; isFirst = false) {
      const next = this.#take();
      if (next === undefined) this.#fail("a '[' without its ']'");
      if (next === ']' && !isFirst) return `${made}]`;
      const item = this.#classItem(next);
      if (
        this.#peek() !== '-' ||
        item.code === undefined ||
        [undefined, ']'].includes(this.#characters[this.#at + 1])
      ) {
        made += item.text;
        continue;
      }
      this.#at++;
      const end = this.#classItem(this.#take() as string);
      if (end.code === undefined) {
        made += `${item.text}\\-${end.text}`;
      } else {
        if (end.code < item.code)
          this.#fail('a range of characters from a later to an earlier one');
        made += `${item.text}-${end.text}`;
      }
    }
  }

  #classItem(next: string): ClassItem {
    if (
      next === '[' &&
      /^:\^?[a-z]+:\]/.test(this.#characters.slice(this.#at, this.#at + 12).join(''))
    ) {
      const end = this.#characters.indexOf(']', this.#at);
      const text = `[${this.#characters.slice(this.#at, end + 1).join('')}`;
      this.#at = end + 1;
      return { text };
    }
    if (next !== '\\') return character(next.codePointAt(0) as number);
    const escaped = this.#take();
    if (escaped === undefined) this.#fail('a backslash at its end');
    if (escaped === 's') return { text: blank };
    if (escaped === 'S') return { text: '\\S' };
    if (escaped === 'h') return { text: '\\t ' };
    return escaped === 'b' ? character(8) : this.#escaped(escaped);
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(): string | undefined {
    const character = this.#characters[this.#at];
    if (character !== undefined) this.#at++;
    return character;
  }

  #unsupported(what: string): never {
    throw new UnsupportedError(
      `the regular expression '${excerpt(this.#source)}' has ${what}, which DuckDB's RE2 does not`,
    );
  }

  #fail(what: string): never {
    throw new SigmaError(
      `the regular expression '${excerpt(this.#source)}' has ${what}`,
      this.#mark,
    );
  }
}

const lastCode = 0x10ffff;

function character(code: number): ClassItem {
  const isPlain =
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a);
  const text = isPlain
    ? String.fromCodePoint(code)
    : `\\x{${Math.min(code, lastCode).toString(16)}}`;
  return { text, code };
}
