import { textListLiteral, textLiteral } from '../sql/literals.js';
import type { RecordType, SharedValue } from '../sql/row-rule.js';
import { type Attribute, attributeOf, isAbsent, parts } from './attributes.js';
import type { Expression, Operator } from './grammar.js';
import { withoutQuotes } from './tokens.js';

// Compiles conditions to SQL. Values compare as texts, with both sides split at commas: a check is
// true if any pair of pieces satisfies it.

/** A condition with its macros and lists expanded. */
export type Resolved =
  | { kind: 'or' | 'and'; of: readonly Resolved[] }
  | { kind: 'not'; of: Resolved }
  | { kind: 'never' }
  | Exclude<Expression, { kind: 'or' | 'and' | 'not' | 'macro' }>;

export interface Compiled {
  sql: string;
  /** Canonical names of the attributes it uses. */
  attributes: ReadonlySet<string>;
  /** Names it uses that tables lack. */
  absent: ReadonlySet<string>;
  /** Columns that the SQL uses. */
  values: ReadonlySet<string>;
}

/** Name of the column that holds an attribute's text for comparisons. */
export function valueColumn(attribute: string): string {
  return `"${attribute}"`;
}

/**
 * Name of the column that holds the pieces between commas; an empty list for a text without commas.
 */
function piecesColumn(attribute: string): string {
  return `"${attribute} pieces"`;
}

export function wholeColumn(attribute: string): string {
  return `"${attribute} whole"`;
}

/** Compiles a condition for one record type, or for all. */
export function compile(condition: Resolved, type?: RecordType): Compiled {
  const compiler = new Compiler(type);
  const sql = compiler.expression(condition);
  return { sql, ...compiler.uses() };
}

/** Result of a check on missing data: neither rules nor filters match. */
const unknown = 'CAST(NULL AS BOOLEAN)';

/** Maximum pieces of each text when two texts are compared. */
const maxPieces = 1000;

/** More alternatives than this become a list instead of a chain of ORs. */
const maxAlternatives = 100;

/** One side of a check: a literal text, or SQL. */
type Side = { literal: string } | { sql: string; pieces?: string };

function negated(sql: string): string {
  if (sql === 'true') return 'false';
  return sql === 'false' ? 'true' : `(NOT ${sql})`;
}

class Compiler {
  /** Names that the SQL uses, in order of appearance. */
  readonly #uses: { kind: 'attributes' | 'absent' | 'values'; name: string }[] = [];
  readonly #type: RecordType | undefined;

  constructor(type: RecordType | undefined) {
    this.#type = type;
  }

  expression(condition: Resolved): string {
    switch (condition.kind) {
      case 'or':
        return this.#joined(condition.of, 'OR', 'true', 'false');
      case 'and':
        return this.#joined(condition.of, 'AND', 'false', 'true');
      case 'not':
        return negated(this.expression(condition.of));
      case 'never':
        return 'false';
      case 'exists':
        return this.#exists(condition.atom);
      case 'any': {
        const operator = condition.operator === 'in' ? '=' : 'contains';
        const pieces = condition.values.flatMap((value) => value.split(','));
        if (this.#isAbsent(condition.left)) return unknown;
        return againstAny(this.#text(condition.left), operator, pieces);
      }
      case 'compare':
        return this.#comparison(condition.operator, condition.left, condition.right);
    }
  }

  uses(): Omit<Compiled, 'sql'> {
    const named = (wanted: string) =>
      new Set(this.#uses.flatMap(({ kind, name }) => (kind === wanted ? [name] : [])));
    return { attributes: named('attributes'), absent: named('absent'), values: named('values') };
  }

  /**
   * Joins the parts and drops neutral ones. A decisive part replaces all others and what they use.
   */
  #joined(
    parts: readonly Resolved[],
    operator: 'AND' | 'OR',
    decisive: string,
    neutral: string,
  ): string {
    const before = this.#uses.length;
    const some: string[] = [];
    for (const part of parts) {
      const sql = this.expression(part);
      if (sql === decisive) {
        this.#uses.length = before;
        return decisive;
      }
      if (sql !== neutral) some.push(sql);
    }
    if (some.length === 0) return neutral;
    return some.length === 1 ? (some[0] as string) : `(${some.join(` ${operator} `)})`;
  }

  #comparison(operator: Operator, left: string, right: string): string {
    // Evaluates both sides, so that the reason names both.
    if ([left, right].filter((atom) => this.#isAbsent(atom)).length > 0) return unknown;
    switch (operator) {
      case '<':
      case '<=':
      case '>':
      case '>=':
        return `(${this.#integer(left)} ${operator} ${this.#integer(right)})`;
      case '!=':
        return negated(this.#comparison('=', left, right));
      default: {
        const [one, other] = [this.#text(left), this.#text(right)];
        if ('literal' in other) return againstAny(one, operator, other.literal.split(','));
        return eachWithEach(one, operator, other);
      }
    }
  }

  #exists(atom: string): string {
    // Any other word is a text, which exists; so does an attribute with a path.
    const attribute = attributeOf(atom);
    if (attribute === undefined)
      return !atom.includes('[') && this.#isAbsent(atom) ? unknown : 'true';
    this.#use('attributes', attribute.name);
    for (const part of attribute.from ?? []) this.#use('values', part);
    return attribute.exists;
  }

  #integer(atom: string): string {
    const attribute = attributeOf(atom);
    if (attribute === undefined) return integerOf(atom);
    if (attribute.integer === undefined) return '0';
    this.#use('attributes', attribute.name);
    return attribute.integer;
  }

  #text(atom: string): Side {
    const bracket = atom.indexOf('[');
    const base = bracket < 0 ? atom : atom.slice(0, bracket);
    const attribute = attributeOf(base);
    if (attribute === undefined) return { literal: withoutQuotes(base) };
    this.#use('attributes', attribute.name);
    if (attribute.name === 'sf.type' && this.#type !== undefined) return { literal: this.#type };
    const path = bracket < 0 || attribute.integer !== undefined ? '' : atom.slice(bracket + 1, -1);
    const column = path === '' ? valueColumn(attribute.name) : wholeColumn(attribute.name);
    this.#use('values', column);
    if (path !== '') return { sql: atPath(column, path, attribute.members) };
    if (attribute.hasNoComma === true) return { sql: column };
    const pieces = piecesColumn(attribute.name);
    this.#use('values', pieces);
    return { sql: column, pieces };
  }

  #use(kind: 'attributes' | 'absent' | 'values', name: string): void {
    this.#uses.push({ kind, name });
  }

  /** Whether an atom is an attribute that tables lack. */
  #isAbsent(atom: string): boolean {
    const [base = ''] = atom.split('[', 1);
    if (!isAbsent(base)) return false;
    this.#use('absent', base);
    return true;
  }
}

/** Parses a 64-bit integer; any other text counts as 0. */
function integerOf(text: string): string {
  if (!/^[+-]?[0-9]+$/.test(text)) return '0';
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? `(${value})` : '0';
}

/** Strips a quote at each end, like for the literals of a rule. */
function unquotedSql(text: string): string {
  const quotes = `'"', ''''`;
  const start = `CASE WHEN left(${text}, 1) IN (${quotes}) THEN substr(${text}, 2) ELSE ${text} END`;
  return `CASE WHEN left(${text}, 1) NOT IN (${quotes}) AND right(${text}, 1) NOT IN (${quotes}) THEN ${text}
    WHEN right(${text}, 1) IN (${quotes}) AND length(${start}) > 0 THEN left(${start}, length(${start}) - 1) ELSE ${start} END`;
}

/** Shared values for these attributes. */
export function sharedValues(names: Iterable<string>): Record<string, SharedValue> {
  const values: Record<string, SharedValue> = { ...parts };
  for (const name of names) {
    const { text, from, mayBeQuoted: isFree } = attributeOf(name) as Attribute;
    const whole = wholeColumn(name);
    values[whole] = { sql: text, from: from ?? [] };
    const value = valueColumn(name);
    values[value] = { sql: isFree ? unquotedSql(whole) : whole, from: [whole] };
    values[piecesColumn(name)] = {
      sql: `CASE WHEN contains(${value}, ',') THEN string_split(${value}, ',') ELSE [] END`,
      from: [value],
    };
  }
  return values;
}

/**
 * The value at a path like items.0.name in JSON; empty for other texts. The path may write
 * `members` in any case.
 */
export function atPath(text: string, path: string, members: readonly string[] = []): string {
  // The collector ends messages with a NUL.
  const json = `rtrim(${text}, chr(0))`;
  const steps = path
    .split('.')
    .map((step) => members.find((name) => name.toLowerCase() === step.toLowerCase()) ?? step)
    .map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  const found = `json_extract_string(${json}, ${textLiteral(steps.join(''))})`;
  return `CASE WHEN json_valid(${json}) THEN coalesce(${found}, '') ELSE '' END`;
}

type TextOperator = Exclude<Operator, '<' | '<=' | '>' | '>=' | '!='>;

/** Whether a piece of a text relates by `operator` to one of `pieces`, which contain no commas. */
function againstAny(side: Side, operator: TextOperator, pieces: readonly string[]): string {
  if ('literal' in side) {
    const own = side.literal.split(',');
    return String(pieces.some((piece) => own.some((text) => holds(operator, text, piece))));
  }
  const { sql } = side;
  if (pieces.length === 0) return 'false';
  const some = [
    ...new Set(operator === 'icontains' ? pieces.map((piece) => piece.toLowerCase()) : pieces),
  ];
  if (operator !== '=' && operator !== 'contains' && operator !== 'icontains')
    return anyOf(some, (piece) => `(${edge(operator, sql, piece)})`);
  if (operator === '=') {
    const list = some.map(textLiteral).join(', ');
    const whole = `${sql} IN (${list})`;
    if ('pieces' in side) return `(${whole} OR list_has_any(${side.pieces}, [${list}]))`;
    return `(${whole} OR list_has_any(string_split(${sql}, ','), [${list}]))`;
  }
  // A text without commas is in one of the pieces if it is in the whole text.
  if (some.includes('')) return 'true';
  const text = operator === 'icontains' ? `lower(${sql})` : sql;
  if (some.length <= maxAlternatives)
    return anyOf(some, (piece) => `contains(${text}, ${textLiteral(piece)})`);
  return `(len(list_filter(${textListLiteral(some)}, lambda piece: contains(${text}, piece))) > 0)`;
}

function anyOf(pieces: readonly string[], check: (piece: string) => string): string {
  return `(${pieces.map(check).join(' OR ')})`;
}

/** Pieces start at the start of the text and after commas, and end likewise. */
function edge(operator: 'startswith' | 'endswith', sql: string, piece: string): string {
  return operator === 'startswith'
    ? `starts_with(${sql}, ${textLiteral(piece)}) OR contains(${sql}, ${textLiteral(`,${piece}`)})`
    : `ends_with(${sql}, ${textLiteral(piece)}) OR contains(${sql}, ${textLiteral(`${piece},`)})`;
}

const functions: Readonly<Record<TextOperator, (one: string, other: string) => string>> = {
  '=': (one, other) => `${one} = ${other}`,
  contains: (one, other) => `contains(${one}, ${other})`,
  icontains: (one, other) => `contains(lower(${one}), lower(${other}))`,
  startswith: (one, other) => `starts_with(${one}, ${other})`,
  endswith: (one, other) => `ends_with(${one}, ${other})`,
};

function eachWithEach(one: Side, operator: TextOperator, other: Side): string {
  const pieces = (side: Side) =>
    'literal' in side
      ? textListLiteral(side.literal.split(',').slice(0, maxPieces))
      : `list_slice(string_split(${side.sql}, ','), 1, ${maxPieces})`;
  if (operator === '=') return `list_has_any(${pieces(one)}, ${pieces(other)})`;
  const inner = `len(list_filter(${pieces(other)}, lambda there: ${functions[operator]('here', 'there')})) > 0`;
  return `(len(list_filter(${pieces(one)}, lambda here: ${inner})) > 0)`;
}

function holds(operator: TextOperator, one: string, other: string): boolean {
  switch (operator) {
    case '=':
      return one === other;
    case 'contains':
      return one.includes(other);
    case 'icontains':
      return one.toLowerCase().includes(other.toLowerCase());
    case 'startswith':
      return one.startsWith(other);
    case 'endswith':
      return one.endsWith(other);
  }
}
