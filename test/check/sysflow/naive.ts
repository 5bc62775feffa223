import type { Expression } from '../../../src/check/sysflow/grammar.js';

// Naive evaluator for conditions: each attribute of a record is a text or an integer, and every
// check compares all pieces of both sides.

/** The values of a record by attribute name; bigint values compare as integers with < and >. */
export type NaiveRecord = Readonly<Record<string, string | bigint | boolean>>;

export interface NaiveDefinitions {
  macros: ReadonlyMap<string, Expression>;
  lists: ReadonlyMap<string, readonly string[]>;
}

export function holds(
  condition: Expression,
  record: NaiveRecord,
  known: NaiveDefinitions,
): boolean {
  switch (condition.kind) {
    case 'or':
      return condition.of.some((part) => holds(part, record, known));
    case 'and':
      return condition.of.every((part) => holds(part, record, known));
    case 'not':
      return !holds(condition.of, record, known);
    case 'macro': {
      const macro = known.macros.get(condition.name);
      return macro !== undefined && holds(macro, record, known);
    }
    case 'exists': {
      const value = record[condition.atom];
      return value === undefined || (value !== '' && value !== 0n && value !== false);
    }
    case 'any': {
      const values = condition.values.flatMap(
        (value) => known.lists.get(value) ?? [unquoted(value)],
      );
      return values.some((value) =>
        compares(
          condition.operator === 'in' ? '=' : 'contains',
          textOf(condition.left, record),
          value,
        ),
      );
    }
    case 'compare': {
      const { operator, left, right } = condition;
      if (operator === '!=') return !compares('=', textOf(left, record), textOf(right, record));
      if (!'<=>='.includes(operator) || operator === '=')
        return compares(operator, textOf(left, record), textOf(right, record));
      const [one, other] = [integerOf(left, record), integerOf(right, record)];
      if (operator === '<') return one < other;
      if (operator === '<=') return one <= other;
      return operator === '>' ? one > other : one >= other;
    }
  }
}

function compares(operator: string, left: string, right: string): boolean {
  for (const one of left.split(',')) {
    for (const other of right.split(',')) {
      if (operator === '=' && one === other) return true;
      if (operator === 'contains' && one.includes(other)) return true;
      if (operator === 'icontains' && one.toLowerCase().includes(other.toLowerCase())) return true;
      if (operator === 'startswith' && one.startsWith(other)) return true;
      if (operator === 'endswith' && one.endsWith(other)) return true;
    }
  }
  return false;
}

function textOf(atom: string, record: NaiveRecord): string {
  const [base = '', path] = atom.split('[', 2);
  const value = record[base];
  if (value === undefined) return unquoted(base);
  if (path !== undefined && typeof value === 'string') return atPath(value, path.slice(0, -1));
  return typeof value === 'string' ? unquoted(value) : String(value);
}

function atPath(text: string, path: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return '';
  }
  for (const step of path.split('.'))
    value = (value as Record<string, unknown> | null | undefined)?.[step];
  return typeof value === 'string'
    ? value
    : value === undefined || value === null
      ? ''
      : JSON.stringify(value);
}

function integerOf(atom: string, record: NaiveRecord): bigint {
  const value = record[atom];
  if (typeof value === 'bigint') return value;
  if (value !== undefined || !/^[+-]?\d+$/.test(atom)) return 0n;
  const number = BigInt(atom);
  return number >= -(2n ** 63n) && number < 2n ** 63n ? number : 0n;
}

function unquoted(text: string): string {
  let from = 0;
  let to = text.length;
  if (to > from && (text[from] === '"' || text[from] === "'")) from += 1;
  if (to > from && (text[to - 1] === '"' || text[to - 1] === "'")) to -= 1;
  return text.slice(from, to);
}
