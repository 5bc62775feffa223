import { nearest } from '../../engine/nearest.js';
import type { Mark, YamlNode } from '../falco/yaml.js';
import { excerpt, SigmaError, UnsupportedError } from './errors.js';
import {
  allOf,
  anyOf,
  type Comparison,
  type Expression,
  type Place,
  type Test,
  type TimePart,
} from './expression.js';
import { parseNetwork } from './network.js';
import {
  anyDash,
  dashes,
  type Part,
  type Pattern,
  parsePattern,
  plainOf,
  withAnyAfter,
  withAnyBefore,
  withAnyDash,
} from './pattern.js';
import { quoteRegex, type RegexFlags, toRe2 } from './regex.js';
import { type SigmaValue, scalarValue } from './value.js';

// Compiles a key of a selection: a field and modifiers, which transform its values in order.

/** A value after some of its modifiers. */
type Stage =
  | { kind: 'value'; value: SigmaValue }
  | {
      kind: 'text';
      pattern: Pattern;
      cased: boolean;
      /** Bytes that are not text. */
      bytes?: Buffer;
    }
  | { kind: 'regex'; source: string; flags: RegexFlags }
  | {
      kind: 'number';
      number: string;
      text: string;
      operator: Comparison;
      part: TimePart | undefined;
    }
  | { kind: 'reference'; field: string; place: Place; cased: boolean }
  | { kind: 'network' | 'exists'; test: Test };

type Modifier = (stage: Stage, step: Step) => Stage[];

/** Replacements for %name% with the modifier `expand`. */
export type Placeholders = ReadonlyMap<string, readonly string[]>;

/** A modifier in a key. */
interface Step {
  placeholders: Placeholders;
  name: string;
  isFirst: boolean;
  mark: Mark;
}

const comparisons = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const satisfies Record<
  string,
  Comparison
>;
const timeParts = [
  'minute',
  'hour',
  'day',
  'week',
  'month',
  'year',
] as const satisfies readonly TimePart[];

const modifiers: ReadonlyMap<string, Modifier> = new Map<string, Modifier>([
  ['contains', placed('anywhere', (pattern) => withAnyAfter(withAnyBefore(pattern)))],
  ['startswith', placed('start', withAnyAfter)],
  ['endswith', placed('end', withAnyBefore)],
  ['windash', ofText((pattern) => [withAnyDash(pattern)])],
  ['base64', encoded((bytes) => [bytes.toString('base64')])],
  ['base64offset', encoded(base64Offsets)],
  ['wide', widened(utf16le)],
  ['utf16le', widened(utf16le)],
  ['utf16be', widened((text) => utf16le(text).swap16())],
  // The reference implementation writes the byte order mark in UTF-8. sfkit does the same, to find
  // the same events.
  ['utf16', widened((text) => Buffer.concat([Buffer.from('\ufeff'), utf16le(text)]))],
  ['re', toRegex],
  ...(['i', 'ignorecase'] as const).map((name) => [name, flagged('i')] as const),
  ...(['m', 'multiline'] as const).map((name) => [name, flagged('m')] as const),
  ...(['s', 'dotall'] as const).map((name) => [name, flagged('s')] as const),
  ['cased', cased],
  ['cidr', toNetwork],
  ['exists', toExists],
  ['expand', expand],
  ['fieldref', toReference],
  ...Object.entries(comparisons).map(([name, operator]) => [name, compared(operator)] as const),
  ...timeParts.map((part) => [part, partOf(part)] as const),
]);

/** Modifiers that apply to the whole list. */
const listModifiers = ['all', 'neq'];

/** The expression for a key and its values; an empty key searches any field. */
export function checkOf(
  key: string,
  node: YamlNode,
  mark: Mark,
  placeholders: Placeholders,
): Expression {
  const [name = '', ...names] = key.split('|');
  const field = name === '' ? undefined : name;
  for (const modifier of names) rejectUnknown(modifier, mark);
  const ofValues = names.filter((modifier) => !listModifiers.includes(modifier));
  const values = node.kind === 'sequence' ? node.items : [node];
  const alternatives = values.map((value) =>
    anyOf(testsOf(field, value, ofValues, placeholders).map(of(field))),
  );
  // An empty list matches a missing field.
  if (alternatives.length === 0)
    alternatives.push(of(requiredField(field, mark))({ kind: 'null' }));
  const joined = names.includes('all') ? allOf(alternatives) : anyOf(alternatives);
  return names.includes('neq') ? { kind: 'not', item: joined } : joined;
}

function of(field: string | undefined): (test: Test) => Expression {
  return (test) => ({ kind: 'check', field, test });
}

function rejectUnknown(modifier: string, mark: Mark): void {
  if (modifiers.has(modifier) || listModifiers.includes(modifier)) return;
  const likely = nearest(excerpt(modifier), [...modifiers.keys(), ...listModifiers]);
  const advice = likely === undefined ? '' : `; did you mean '${likely}'?`;
  throw new SigmaError(`unknown modifier '${excerpt(modifier)}'${advice}`, mark);
}

function requiredField(field: string | undefined, mark: Mark): string {
  if (field === undefined) throw new SigmaError('null, true and false need a field', mark);
  return field;
}

function testsOf(
  field: string | undefined,
  node: YamlNode,
  names: readonly string[],
  placeholders: Placeholders,
): Test[] {
  const value = scalarValue(node);
  if (value.type === 'null' || value.type === 'boolean') requiredField(field, node.mark);
  let stages: Stage[] = [{ kind: 'value', value }];
  for (const [index, name] of names.entries()) {
    const modifier = modifiers.get(name) as Modifier;
    const step = { name, isFirst: index === 0, mark: node.mark, placeholders };
    stages = bounded(
      stages.flatMap((stage) => modifier(stage, step)),
      step,
    );
  }
  return stages.map((stage) => testOf(stage, node.mark));
}

/** Encoding modifiers lengthen texts, and some produce several. */
const maxTextLength = 1_000_000;

function bounded(stages: Stage[], step: Step): Stage[] {
  const length = stages.reduce(
    (sum, stage) => sum + (stage.kind === 'text' ? lengthOf(stage.pattern) : 1),
    0,
  );
  if (length > maxTextLength)
    throw new UnsupportedError(
      `'${step.name}' makes a value longer than ${maxTextLength} characters`,
    );
  return stages;
}

function lengthOf(pattern: Pattern): number {
  return pattern.reduce<number>(
    (sum, part) => sum + (typeof part === 'string' ? part.length : 1),
    0,
  );
}

function testOf(stage: Stage, mark: Mark): Test {
  switch (stage.kind) {
    case 'value':
      return testOfValue(stage.value);
    case 'text':
      if (stage.bytes !== undefined)
        throw new SigmaError(
          'these letters in UTF-16 are not text; base64 or base64offset must follow',
          mark,
        );
      return stage;
    case 'regex':
      return { kind: 'regex', regex: toRe2(stage.source, stage.flags, mark) };
    case 'network':
    case 'exists':
      return stage.test;
    default:
      return stage;
  }
}

function testOfValue(value: SigmaValue): Test {
  switch (value.type) {
    case 'text':
      return { kind: 'text', pattern: parsePattern(value.text), cased: false };
    case 'number':
      return {
        kind: 'number',
        operator: '=',
        number: value.number,
        text: value.text,
        part: undefined,
      };
    case 'boolean':
      return { kind: 'boolean', value: value.boolean };
    case 'null':
      return { kind: 'null' };
  }
}

function failInput(step: Step, expected: string): never {
  throw new SigmaError(`modifier '${step.name}' expects ${expected}`, step.mark);
}

/** The text of a stage; a number is its text in the file. */
function asText(stage: Stage, step: Step): Extract<Stage, { kind: 'text' }> {
  if (stage.kind === 'text') return stage;
  if (stage.kind !== 'value' || (stage.value.type !== 'text' && stage.value.type !== 'number'))
    failInput(step, 'a text');
  return { kind: 'text', pattern: parsePattern(stage.value.text), cased: false };
}

function ofText(change: (pattern: Pattern, step: Step) => Pattern[]): Modifier {
  return (stage, step) => {
    const text = asText(stage, step);
    if (text.bytes !== undefined)
      failInput(step, 'a text, and these letters in UTF-16 are not text');
    return change(text.pattern, step).map((pattern) => ({ ...text, pattern }));
  };
}

/** contains, startswith and endswith. Regular expressions accept them too, and search anyway. */
function placed(place: Place, change: (pattern: Pattern) => Pattern): Modifier {
  const ofTexts = ofText((pattern) => [change(pattern)]);
  return (stage, step) => {
    if (stage.kind === 'regex') return [stage];
    if (stage.kind === 'reference') return [{ ...stage, place: bothPlaces(stage.place, place) }];
    return ofTexts(stage, step);
  };
}

function bothPlaces(one: Place, other: Place): Place {
  return one === 'whole' || one === other ? other : 'anywhere';
}

/** Maximum variants of one text. No real rule needs more. */
const maxExpansions = 3125;

/** Encodes a text without wildcards. */
function encoded(encode: (bytes: Buffer) => string[]): Modifier {
  return (stage, step) => {
    const text = asText(stage, step);
    const all =
      text.bytes !== undefined
        ? [text.bytes]
        : plainTexts(text.pattern, step).map((plain) => Buffer.from(plain));
    return all.flatMap((bytes) =>
      encode(bytes).map((made) => ({ kind: 'text', pattern: [made], cased: text.cased }) as const),
    );
  };
}

/** All texts that a pattern without * and ? matches. */
function plainTexts(pattern: Pattern, step: Step): string[] {
  let texts = [''];
  for (const part of pattern) {
    if (typeof part !== 'string' && part !== anyDash) failInput(step, 'a text without wildcards');
    const endings = part === anyDash ? [...dashes] : [part];
    texts = limited(texts.length * endings.length, step, () =>
      texts.flatMap((text) => endings.map((ending) => text + ending)),
    );
  }
  return texts;
}

/**
 * For each alignment to three bytes, the part of the Base64 form that does not depend on
 * neighboring bytes.
 */
function base64Offsets(bytes: Buffer): string[] {
  const starts = [0, 2, 3];
  const ends = [0, 3, 2];
  return starts.map((start, offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset, ' '), bytes]).toString('base64');
    return whole.slice(start, whole.length - (ends[(bytes.length + offset) % 3] as number));
  });
}

function utf16le(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

function widened(encode: (text: string) => Buffer): Modifier {
  return (stage, step) => {
    const text = asText(stage, step);
    const plain = plainOf(text.pattern);
    if (plain !== undefined && text.bytes === undefined) {
      const bytes = encode(plain);
      const decoded = bytes.toString('utf8');
      const isText = Buffer.from(decoded, 'utf8').equals(bytes);
      return [{ ...text, pattern: [decoded], ...(isText ? {} : { bytes }) }];
    }
    const pattern = text.pattern.map((part) =>
      typeof part === 'string' ? asciiOf(part, step, encode) : part,
    );
    return [{ ...text, pattern }];
  };
}

function asciiOf(text: string, step: Step, encode: (text: string) => Buffer): string {
  if (/[^\0-\x7f]/.test(text)) failInput(step, 'ASCII letters between wildcards');
  return encode(text).toString('utf8');
}

function toRegex(stage: Stage, step: Step): Stage[] {
  if (stage.kind !== 'value' || !step.isFirst)
    failInput(step, 'to come before other modifiers that change the value');
  if (stage.value.type === 'null') failInput(step, 'a text');
  return [{ kind: 'regex', source: stage.value.text, flags: {} }];
}

function flagged(flag: keyof RegexFlags): Modifier {
  return (stage, step) =>
    stage.kind === 'regex'
      ? [{ ...stage, flags: { ...stage.flags, [flag]: true } }]
      : failInput(step, "'re' before it");
}

function cased(stage: Stage, step: Step): Stage[] {
  if (stage.kind === 'regex') return [stage];
  if (stage.kind === 'reference') return [{ ...stage, cased: true }];
  return [{ ...asText(stage, step), cased: true }];
}

function toNetwork(stage: Stage, step: Step): Stage[] {
  if (stage.kind !== 'value' || stage.value.type !== 'text' || !step.isFirst)
    failInput(step, 'an address and a prefix length, like 10.0.0.0/8');
  const network = parseNetwork(stage.value.text);
  if (typeof network === 'string')
    throw new SigmaError(`'${excerpt(stage.value.text)}': ${network}`, step.mark);
  return [{ kind: 'network', test: { kind: 'network', network } }];
}

function toExists(stage: Stage, step: Step): Stage[] {
  if (stage.kind !== 'value' || stage.value.type !== 'boolean' || !step.isFirst)
    failInput(step, 'true or false');
  return [{ kind: 'exists', test: { kind: 'exists', wanted: stage.value.boolean } }];
}

const placeholder = /(?<!\\)%([^%]+)%/;

function expand(stage: Stage, step: Step): Stage[] {
  if (stage.kind === 'regex') {
    const sources = filled(stage.source, step).map((pieces) => pieces.map(regexOf).join(''));
    return sources.map((source) => ({ ...stage, source }));
  }
  const text = asText(stage, step);
  let patterns: Pattern[] = [[]];
  for (const part of text.pattern) {
    const fillings: Pattern[] =
      typeof part === 'string' ? filled(part, step).map(patternOf) : [[part]];
    patterns = limited(patterns.length * fillings.length, step, () =>
      patterns.flatMap((before) => fillings.map((filling) => [...before, ...filling])),
    );
  }
  return patterns.map((pattern) => ({ ...text, pattern }));
}

/** A piece of a text: literal, or the value of a placeholder. */
type Piece = { plain: string } | { value: string };

/** All texts that result from replacing the placeholders by their values. */
function filled(text: string, step: Step): Piece[][] {
  let all: Piece[][] = [[]];
  for (const [index, piece] of text.split(placeholder).entries()) {
    const values = index % 2 === 1 ? step.placeholders.get(piece) : undefined;
    if (index % 2 === 1 && values === undefined)
      throw new UnsupportedError(`'expand': %${excerpt(piece)}% has no value`);
    const choices: Piece[] = values?.map((value) => ({ value })) ?? [
      { plain: piece.replaceAll('\\%', '%') },
    ];
    all = limited(all.length * choices.length, step, () =>
      all.flatMap((before) => choices.map((choice) => [...before, choice])),
    );
  }
  return all;
}

function limited<Result>(size: number, step: Step, make: () => Result): Result {
  if (size > maxExpansions)
    throw new UnsupportedError(`'${step.name}' of a text with more than ${maxExpansions} variants`);
  return make();
}

function patternOf(pieces: readonly Piece[]): Pattern {
  const joined: Part[] = [];
  for (const part of pieces.flatMap((piece) =>
    'plain' in piece ? [piece.plain] : parsePattern(piece.value),
  )) {
    const last = joined.at(-1);
    // Merges adjacent texts.
    if (typeof part === 'string' && typeof last === 'string')
      joined[joined.length - 1] = last + part;
    else if (part !== '') joined.push(part);
  }
  return joined;
}

function regexOf(piece: Piece): string {
  return 'plain' in piece ? piece.plain : quoteRegex(piece.value);
}

function toReference(stage: Stage, step: Step): Stage[] {
  const text = asText(stage, step);
  const field = plainOf(text.pattern);
  if (field === undefined || field === '') failInput(step, 'the name of a field');
  return [{ kind: 'reference', field, place: 'whole', cased: text.cased }];
}

function asNumber(stage: Stage, step: Step): Extract<Stage, { kind: 'number' }> {
  if (stage.kind === 'number') return stage;
  if (stage.kind !== 'value' || stage.value.type !== 'number') failInput(step, 'a number');
  const { number, text } = stage.value;
  return { kind: 'number', number, text, operator: '=', part: undefined };
}

function compared(operator: Comparison): Modifier {
  return (stage, step) => [{ ...asNumber(stage, step), operator }];
}

function partOf(part: TimePart): Modifier {
  return (stage, step) => [{ ...asNumber(stage, step), part }];
}
