import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { Row } from './rows.js';

// Naive evaluator for Sigma: one rule and one row at a time, on the output of a YAML reader. It
// shares no code with src/check/sigma.

export interface NaiveRule {
  detection: Record<string, unknown>;
}

type Cell = string | null;

/** A row whose fields may have several forms; a test needs to match only one. */
export type FormsRow = Readonly<Record<string, Row[string] | readonly Row[string][]>>;

export function matches({ detection }: NaiveRule, row: FormsRow): boolean {
  const { condition, ...selections } = detection;
  const conditions = Array.isArray(condition) ? (condition as string[]) : [condition as string];
  const holds = (name: string) => selection(selections[name], row);
  return conditions.some((text) => new Reader(text, Object.keys(selections), holds).read());
}

class Reader {
  readonly #words: string[];
  readonly #names: string[];
  readonly #holds: (name: string) => boolean;

  constructor(text: string, names: string[], holds: (name: string) => boolean) {
    this.#words = text.replace(/[()]/g, ' $& ').trim().split(/\s+/);
    this.#names = names;
    this.#holds = holds;
  }

  read(): boolean {
    let result = this.#and();
    while (this.#words[0] === 'or') {
      this.#words.shift();
      const other = this.#and();
      result = result || other;
    }
    return result;
  }

  #and(): boolean {
    let result = this.#not();
    while (this.#words[0] === 'and') {
      this.#words.shift();
      const other = this.#not();
      result = result && other;
    }
    return result;
  }

  #not(): boolean {
    const word = this.#words.shift();
    if (word === 'not') return !this.#not();
    if (word === '(') {
      const result = this.read();
      this.#words.shift();
      return result;
    }
    if (this.#words[0] !== 'of') return this.#holds(word as string);
    this.#words.shift();
    const pattern = this.#words.shift() as string;
    const glob = new RegExp(`^${pattern === 'them' ? '.*' : pattern.replaceAll('*', '.*')}$`);
    const chosen = this.#names.filter((name) => glob.test(name) && !name.startsWith('_'));
    return word === 'all' ? chosen.every(this.#holds) : chosen.some(this.#holds);
  }
}

function selection(definition: unknown, row: FormsRow): boolean {
  if (Array.isArray(definition)) return definition.some((one) => selection(one, row));
  return Object.entries(definition as object).every(([key, value]) => item(key, value, row));
}

function item(key: string, value: unknown, row: FormsRow): boolean {
  const [field = '', ...modifiers] = key.split('|');
  const values = Array.isArray(value) ? value : [value];
  const each = values.map((one) =>
    formsOf(row[field]).some((cell) => single(modifiers, one, cell, row)),
  );
  const result = modifiers.includes('all') ? each.every(Boolean) : each.some(Boolean);
  return modifiers.includes('neq') ? !result : result;
}

function formsOf(value: FormsRow[string]): Cell[] {
  return [value].flat().map((form) => (form == null ? null : String(form)));
}

function single(modifiers: readonly string[], value: unknown, cell: Cell, row: FormsRow): boolean {
  if (modifiers.includes('exists')) return (cell !== null) === value;
  if (value === null) return cell === null;
  if (cell === null) return false;
  if (modifiers.includes('re')) {
    const flags = ['i', 'm', 's'].filter((flag) => modifiers.includes(flag)).join('');
    return new RegExp(String(value), `u${flags}`).test(cell);
  }
  if (modifiers.includes('cidr')) return isWithin(cell, String(value));
  if (modifiers.includes('fieldref')) return refers(modifiers, String(value), cell, row);
  const comparison = ['lt', 'lte', 'gt', 'gte'].find((name) => modifiers.includes(name));
  if (comparison !== undefined) return compares(comparison, cell, Number(value));
  if (typeof value === 'number' && modifiers.length === 0) return cell === String(value);
  return texts(modifiers, String(value)).some((pattern) =>
    fits(pattern, cell, modifiers.includes('cased')),
  );
}

function refers(modifiers: readonly string[], field: string, cell: string, row: FormsRow): boolean {
  return formsOf(row[field]).some((other) => other !== null && stands(modifiers, cell, other));
}

function stands(modifiers: readonly string[], cell: string, other: string): boolean {
  const [a, b] = [lower(cell), lower(other)];
  if (modifiers.includes('contains')) return a.includes(b);
  if (modifiers.includes('startswith')) return a.startsWith(b);
  return modifiers.includes('endswith') ? a.endsWith(b) : a === b;
}

function isWithin(cell: string, network: string): boolean {
  const [address = '', length] = network.split('/');
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (!(family === 'ipv4' ? isIPv4(cell) : isIPv6(cell) && !cell.includes('%'))) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(length), family);
  return list.check(cell, family);
}

function compares(name: string, cell: string, other: number): boolean {
  if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(cell)) return false;
  const number = Number(cell);
  if (name.startsWith('l')) return name === 'lt' ? number < other : number <= other;
  return name === 'gt' ? number > other : number >= other;
}

/** A given character; any character; any text. */
type Step = { is: string } | 'one' | 'any';

function stepsOf(text: string): Step[] {
  const steps: Step[] = [];
  const characters = [...text];
  for (let at = 0; at < characters.length; at++) {
    const [character, next] = [characters[at] as string, characters[at + 1]];
    if (character === '\\' && next !== undefined && '*?\\'.includes(next)) {
      steps.push({ is: next });
      at++;
    } else steps.push(character === '*' ? 'any' : character === '?' ? 'one' : { is: character });
  }
  return steps;
}

/** All patterns that a value expands to. */
function texts(modifiers: readonly string[], value: string): Step[][] {
  let all = [stepsOf(value)];
  for (const modifier of modifiers) {
    switch (modifier) {
      case 'contains':
        all = all.map((steps) => ['any', ...steps, 'any']);
        break;
      case 'startswith':
        all = all.map((steps) => [...steps, 'any']);
        break;
      case 'endswith':
        all = all.map((steps) => ['any', ...steps]);
        break;
      case 'windash':
        all = all.flatMap(permutations);
        break;
      case 'base64':
        all = all.map((steps) => stepsOf(Buffer.from(plain(steps)).toString('base64')));
        break;
      case 'base64offset':
        all = all.flatMap((steps) =>
          [0, 1, 2].map((offset) => stepsOf(settled(Buffer.from(plain(steps)), offset))),
        );
        break;
      case 'wide':
      case 'utf16le':
        all = all.map((steps) =>
          steps.flatMap((step) => [step, ...(typeof step === 'object' ? [{ is: '\0' }] : [])]),
        );
        break;
    }
  }
  return all;
}

function plain(steps: Step[]): string {
  return steps.map((step) => (step as { is: string }).is).join('');
}

function permutations(steps: Step[]): Step[][] {
  const isWord = (step: Step | undefined) =>
    typeof step === 'object' && /[\p{L}\p{N}_]/u.test(step.is);
  const at = steps.findIndex(
    (step, index) =>
      typeof step === 'object' &&
      '-/'.includes(step.is) &&
      !isWord(steps[index - 1]) &&
      isWord(steps[index + 1]),
  );
  if (at < 0) return [steps];
  return ['-', '/', '–', '—', '―'].flatMap((dash) =>
    permutations(steps.slice(at + 1)).map((rest) => [...steps.slice(0, at), { is: dash }, ...rest]),
  );
}

/** The Base64 characters that do not depend on neighboring bytes. */
function settled(bytes: Buffer, offset: number): string {
  const [low, high] = [0, 255].map((filler) =>
    Buffer.concat([Buffer.alloc(offset, filler), bytes, Buffer.alloc(3, filler)]).toString(
      'base64',
    ),
  ) as [string, string];
  const end = Math.floor(((offset + bytes.length) * 8) / 6);
  return [...low]
    .filter(
      (character, index) => index < end && character === high[index] && index * 6 >= offset * 8,
    )
    .join('');
}

/** Lowers each character separately, if its lower case is a single character. */
function lower(text: string): string {
  return [...text]
    .map((character) =>
      [...character.toLowerCase()].length === 1 ? character.toLowerCase() : character,
    )
    .join('');
}

function fits(steps: readonly Step[], cell: string, cased: boolean): boolean {
  const characters = [...(cased ? cell : lower(cell))];
  const wanted = steps.map((step) =>
    typeof step === 'object' && !cased ? { is: lower(step.is) } : step,
  );
  // reached: numbers of steps that may end here.
  let reached = new Set(skip(wanted, [0]));
  for (const character of characters) {
    const next: number[] = [];
    for (const at of reached) {
      const step = wanted[at];
      if (step === 'any') next.push(at);
      else if (step === 'one' || (typeof step === 'object' && step.is === character))
        next.push(at + 1);
    }
    reached = new Set(skip(wanted, next));
  }
  return reached.has(wanted.length);
}

/** Adds the steps that are reachable because 'any' matches an empty text. */
function skip(steps: readonly Step[], places: readonly number[]): number[] {
  return places.flatMap((place) => {
    const found = [place];
    while (steps[found.at(-1) as number] === 'any') found.push((found.at(-1) as number) + 1);
    return found;
  });
}
