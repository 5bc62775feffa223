import { tableColumns } from '../../engine/columns.gen.js';
import type { ParameterValues } from '../saved/parameters.js';

// Translates SQL conditions on the tables `events` and `calls` into engine filters that pass at
// least the events that the statement looks at.

/** An expression as json_serialize_sql() of DuckDB returns it. */
interface Expression {
  class?: string;
  type?: string;
  children?: unknown[];
  left?: unknown;
  right?: unknown;
  input?: unknown;
  lower?: unknown;
  upper?: unknown;
  child?: unknown;
  identifier?: string;
  column_names?: string[];
  value?: { type?: { id?: string }; is_null?: boolean; value?: unknown };
}

/** The tables that take a filter. */
export const filteredTables = ['events', 'calls'] as const;
export type FilteredTable = (typeof filteredTables)[number];

/** Whether a filter on events changes the rows of the table. */
export function isFiltered(table: string | undefined): table is FilteredTable {
  return filteredTables.some((name) => name === table);
}

const fieldsOf = (table: FilteredTable) =>
  new Map(
    tableColumns[table].flatMap(({ name, field, type }) =>
      field === undefined ? [] : [[name, { field, type }]],
    ),
  );
const fields = { events: fieldsOf('events'), calls: fieldsOf('calls') };

/** Texts that need no escaping in a filter. */
const plainText = /^[\w./:@+-]{1,200}$/;

const comparisons: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: '=',
  COMPARE_LESSTHAN: '<',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHAN: '>',
  COMPARE_GREATERTHANOREQUALTO: '>=',
};
const mirrored: Readonly<Record<string, string>> = {
  '=': '=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** Context of a condition. */
export interface ConditionContext {
  table: FilteredTable;
  /** Its name in the statement. */
  alias: string;
  parameters: ParameterValues;
}

/**
 * Returns a filter that passes every event for which the condition holds; undefined if no such
 * filter excludes any event.
 */
export function conditionOn(where: unknown, context: ConditionContext): string | undefined {
  const {
    class: kind,
    type,
    children = [],
    left,
    right,
    input,
    lower,
    upper,
  } = (where ?? {}) as Expression;
  switch (kind) {
    case 'CONJUNCTION': {
      const parts = children.map((child) => conditionOn(child, context));
      const known = parts.filter((part) => part !== undefined);
      if (known.length === 0 || (type === 'CONJUNCTION_OR' && known.length < parts.length))
        return undefined;
      return `(${known.join(type === 'CONJUNCTION_OR' ? ' or ' : ' and ')})`;
    }
    case 'COMPARISON': {
      const operator = comparisons[type ?? ''];
      if (operator === undefined) return undefined;
      return (
        compared(left, operator, right, context) ??
        compared(right, mirrored[operator] as string, left, context)
      );
    }
    case 'BETWEEN': {
      const parts = [compared(input, '>=', lower, context), compared(input, '<=', upper, context)];
      const known = parts.filter((part) => part !== undefined);
      return known.length === 0 ? undefined : `(${known.join(' and ')})`;
    }
    case 'OPERATOR': {
      if (type !== 'COMPARE_IN') return undefined;
      const parts = children.slice(1).map((child) => compared(children[0], '=', child, context));
      return parts.every((part) => part !== undefined) ? `(${parts.join(' or ')})` : undefined;
    }
    default:
      return undefined;
  }
}

function compared(
  column: unknown,
  operator: string,
  constant: unknown,
  context: ConditionContext,
): string | undefined {
  const name = columnName(column, context.alias);
  if (name === undefined) return undefined;
  const known = fields[context.table].get(name);
  if (name === 'ts' && context.table === 'events') {
    const time = nanoseconds(constant, context);
    return time === undefined ? undefined : `evt.rawtime ${operator} ${time}`;
  }
  const value = constantOf(constant, context);
  if (name === 'direction' && context.table === 'events') {
    const direction = value === 'enter' ? '>' : value === 'exit' ? '<' : undefined;
    return direction === undefined || operator !== '=' ? undefined : `evt.dir = ${direction}`;
  }
  if (known === undefined) return undefined;
  if (known.type === 'str') {
    if (operator !== '=' || typeof value !== 'string' || !plainText.test(value)) return undefined;
    return `${known.field} = "${value}"`;
  }
  if (known.type !== 'i64' && known.type !== 'i32') return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return undefined;
  return `${known.field} ${operator} ${value}`;
}

function columnName(expression: unknown, alias: string): string | undefined {
  const { class: kind, column_names: names = [] } = (expression ?? {}) as Expression;
  if (kind !== 'COLUMN_REF') return undefined;
  const own = names.map((name) => name.toLowerCase());
  if (own.length === 1) return own[0];
  return own.length === 2 && own[0] === alias.toLowerCase() ? own[1] : undefined;
}

function constantOf(expression: unknown, { parameters }: ConditionContext): unknown {
  const { class: kind, value, identifier } = (expression ?? {}) as Expression;
  if (kind === 'PARAMETER') {
    const given = parameters[identifier ?? ''];
    return typeof given === 'bigint' ? Number(given) : given;
  }
  return kind === 'CONSTANT' && value?.is_null === false ? value.value : undefined;
}

/** A time as text, cast to a timestamp or not, as nanoseconds since 1970. */
function nanoseconds(expression: unknown, context: ConditionContext): bigint | undefined {
  const { class: kind, child } = (expression ?? {}) as Expression;
  const text = constantOf(kind === 'CAST' ? child : expression, context);
  if (typeof text !== 'string') return undefined;
  const parts = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?)?Z?$/.exec(text.trim());
  if (parts === null) return undefined;
  const [, day, clock = '00:00:00', fraction = ''] = parts;
  const milliseconds = Date.parse(`${day}T${clock}Z`);
  // Numbers in filters start at 0.
  if (Number.isNaN(milliseconds) || milliseconds < 0) return undefined;
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
