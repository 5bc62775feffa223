import { textLiteral } from '../check/sql/literals.js';
import { podServiceMembers } from '../check/sysflow/attributes.js';
import { atPath } from '../check/sysflow/compile.js';
import type { Expression, Operator } from '../check/sysflow/grammar.js';
import { withoutQuotes } from '../check/sysflow/tokens.js';
import { SfkitError } from '../engine/errors.js';
import { columnSpec, plainName, unknownAttribute } from './attributes.js';

// Compiles a condition to SQL over the rows of all events and flows. Numbers compare as numbers,
// times as times, and every other value as a whole text. A check of a list is true if it is true
// for one of its elements. A missing text is empty; any other missing value makes a check false.

/** A condition as SQL. */
export interface RowCondition {
  sql: string;
  /** It uses the lists of ancestors. */
  needsAncestors: boolean;
}

interface Operand {
  kind: 'text' | 'number' | 'boolean' | 'time' | 'list';
  sql: string;
}

/** One side of a check: an attribute or a text. */
type Side = Operand | { kind: 'literal'; text: string };

const order = new Set<Operator>(['<', '<=', '>', '>=']);

/** Compiles a condition. Throws an INVALID_ARGUMENT for what is no attribute. */
export function compileExactly(condition: Expression): RowCondition {
  const compiler = new Compiler();
  return { sql: compiler.expression(condition), needsAncestors: compiler.needsAncestors };
}

class Compiler {
  needsAncestors = false;

  expression(condition: Expression): string {
    switch (condition.kind) {
      case 'or':
        return `(${condition.of.map((part) => this.expression(part)).join(' OR ')})`;
      case 'and':
        return `(${condition.of.map((part) => this.expression(part)).join(' AND ')})`;
      case 'not':
        return `(NOT ${this.expression(condition.of)})`;
      case 'macro':
        throw new SfkitError(
          'INVALID_ARGUMENT',
          `--filter: expected an operator after '${condition.name}', such as ${condition.name} exists`,
        );
      case 'exists':
        return existence(this.#attribute(condition.atom));
      case 'any': {
        const left = this.#attribute(condition.left);
        const operator = condition.operator === 'in' ? '=' : 'contains';
        const checks = condition.values.map((value) => {
          return check(operator, left, { kind: 'literal', text: withoutQuotes(value) });
        });
        return `(${checks.join(' OR ')})`;
      }
      case 'compare': {
        const left = this.#attribute(condition.left);
        const right = this.#side(condition.right);
        return condition.operator === '!='
          ? `(NOT ${check('=', left, right)})`
          : check(condition.operator, left, right);
      }
    }
  }

  /** A word that names no attribute is a text, as is everything in quotes. */
  #side(atom: string): Side {
    if (/^["']/.test(atom)) return { kind: 'literal', text: withoutQuotes(atom) };
    const [base = ''] = atom.split('[', 1);
    return plainName(base) === undefined || !base.includes('.')
      ? { kind: 'literal', text: atom }
      : this.#attribute(atom);
  }

  #attribute(atom: string): Operand {
    const bracket = atom.indexOf('[');
    const base = (bracket < 0 ? atom : atom.slice(0, bracket)).replace(/:$/, '');
    const name = plainName(base);
    if (name === undefined) throw unknownAttribute(atom, '--filter');
    const operand = this.#operand(name);
    if (bracket < 0) return operand;
    if (operand.kind !== 'text')
      throw new SfkitError('INVALID_ARGUMENT', `--filter: '${base}' has no members`);
    const path = atom.slice(bracket + 1, -1);
    return { kind: 'text', sql: atPath(operand.sql, path, podServiceMembers) };
  }

  #operand(name: string): Operand {
    const list = lists[name];
    if (list !== undefined) {
      if (name.startsWith('proc_a')) this.needsAncestors = true;
      return { kind: 'list', sql: list };
    }
    const part = parts[name];
    if (part !== undefined) return { kind: 'text', sql: part };
    switch (columnSpec(name)?.type) {
      case 'i32':
      case 'i64':
        return { kind: 'number', sql: name };
      case 'bool':
        return { kind: 'boolean', sql: name };
      case 'ts':
        return { kind: 'time', sql: name };
      default:
        return { kind: 'text', sql: `coalesce(${name}, '')` };
    }
  }
}

const texts = (list: string) => `CAST(coalesce(${list}, []) AS VARCHAR[])`;
const halves = (both: string, names: string) =>
  `CASE WHEN list_contains(opflags, '${both}') THEN [${names}] ELSE [] END`;

/** Attributes that are lists of texts. */
const lists: Readonly<Record<string, string>> = {
  proc_apid: texts('proc_apid'),
  proc_aname: texts('proc_aname'),
  proc_aexe: texts('proc_aexe'),
  proc_acmdline: texts('proc_acmdline'),
  net_ip: 'CASE WHEN net_sip IS NULL THEN [] ELSE [net_sip, net_dip] END',
  net_port:
    'CASE WHEN net_sport IS NULL THEN [] ELSE CAST([net_sport, net_dport] AS VARCHAR[]) END',
  // An operation that stands for two has both names too.
  opflags: `(${texts('opflags')} || ${halves('READ_RECV', "'READ', 'RECV'")} || ${halves('WRITE_SEND', "'WRITE', 'SEND'")})`,
  openflags: texts('openflags'),
  file_openflags: `(${texts('openflags')} || CASE WHEN file_openflags IS NULL THEN [] ELSE [CAST(file_openflags AS VARCHAR)] END)`,
};

const parts: Readonly<Record<string, string>> = {
  file_newname: `coalesce(split_part(file_newpath, '/', -1), '')`,
  file_newdirectory: `coalesce(regexp_replace(file_newpath, '/+[^/]*$', ''), '')`,
};

function existence({ kind, sql }: Operand): string {
  if (kind === 'text') return `(${sql} <> '')`;
  return kind === 'list' ? `(len(${sql}) > 0)` : `(${sql} IS NOT NULL)`;
}

function check(operator: Operator, left: Operand, right: Side): string {
  if (left.kind !== 'list') return single(operator, left, right);
  const inner = single(operator, { kind: 'text', sql: 'one' }, right);
  return `(len(list_filter(${left.sql}, lambda one: ${inner})) > 0)`;
}

function single(operator: Operator, left: Operand, right: Side): string {
  if (right.kind === 'list') {
    const inner = single(operator, left, { kind: 'text', sql: 'other' });
    return `(len(list_filter(${right.sql}, lambda other: ${inner})) > 0)`;
  }
  if (order.has(operator) || operator === '=') {
    if (left.kind === 'number') return typed(operator, left.sql, numberSql(right));
    if (left.kind === 'time') return typed(operator, left.sql, timeSql(right));
    if (left.kind === 'boolean' && operator === '=')
      return typed(operator, left.sql, booleanSql(right));
  }
  if (order.has(operator))
    return typed(operator, `TRY_CAST(${textSql(left)} AS DOUBLE)`, numberSql(right));
  const [one, other] = [textSql(left), textSql(right)];
  switch (operator) {
    case 'contains':
      return `contains(${one}, ${other})`;
    case 'icontains':
      return `contains(lower(${one}), lower(${other}))`;
    case 'startswith':
      return `starts_with(${one}, ${other})`;
    case 'endswith':
      return `ends_with(${one}, ${other})`;
    default:
      return `(${one} = ${other})`;
  }
}

function typed(operator: Operator, left: string, right: string): string {
  return `coalesce(${left} ${operator} ${right}, false)`;
}

function textSql(side: Side): string {
  if (side.kind === 'literal') return textLiteral(side.text);
  return side.kind === 'text' ? side.sql : `coalesce(CAST(${side.sql} AS VARCHAR), '')`;
}

function numberSql(side: Side): string {
  if (side.kind === 'number') return side.sql;
  if (side.kind !== 'literal') return `TRY_CAST(${textSql(side)} AS DOUBLE)`;
  if (!/^-?[0-9]{1,20}(\.[0-9]{1,9})?$/.test(side.text)) throw expected('a number', side.text);
  return `(${side.text})`;
}

function timeSql(side: Side): string {
  if (side.kind === 'time') return side.sql;
  if (side.kind !== 'literal') return `TRY_CAST(${textSql(side)} AS TIMESTAMP_NS)`;
  const time = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?Z?)?$/;
  if (!time.test(side.text) || Number.isNaN(Date.parse(side.text)))
    throw expected("a time in UTC, such as '2024-05-01T10:00:00'", side.text);
  return `TRY_CAST(${textLiteral(side.text.replace('T', ' ').replace(/Z$/, ''))} AS TIMESTAMP_NS)`;
}

const booleans = new Map([
  ['true', 'true'],
  ['false', 'false'],
  ['1', 'true'],
  ['0', 'false'],
]);

function booleanSql(side: Side): string {
  if (side.kind === 'boolean') return side.sql;
  if (side.kind !== 'literal') return `TRY_CAST(${textSql(side)} AS BOOLEAN)`;
  const value = booleans.get(side.text.toLowerCase());
  if (value === undefined) throw expected('true or false', side.text);
  return value;
}

function expected(what: string, text: string): SfkitError {
  return new SfkitError('INVALID_ARGUMENT', `--filter: expected ${what}, found '${text}'`);
}
