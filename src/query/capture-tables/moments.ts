import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteText } from '../../duckdb/sql-text.js';
import { captureTables, type TableName } from '../../engine/columns.gen.js';
import { SfkitError } from '../../engine/errors.js';
import { escapeForTerminal } from '../../engine/escape.js';
import type { Moment } from '../../engine/session.js';
import type { ParameterValues } from '../saved/parameters.js';

// Tables of the state at a moment are functions in SQL, such as processes_at('end'). The engine
// must know the moments before the statement runs, so they must be constants.

/** A moment that SQL names. */
export interface NamedMoment {
  /** The argument as text, by which SQL finds the rows. */
  key: string;
  moment: Moment;
}

/** Maximum moments of one table: the rows of each are loaded. */
const maxMoments = 100;

const forms =
  "a time in UTC with its date ('2026-03-02 10:00:03'), 'start', 'end', or seconds after the first event (1.5)";

/** The key of an argument, in SQL. */
export const keySql = (argument: string) => `coalesce(CAST(${argument} AS VARCHAR), 'start')`;

/** Whether a table shows the state at a moment. */
export function isAtMoment(table: TableName): boolean {
  return captureTables.some(({ name, at }) => name === table && at === true);
}

/** The error for a table without a moment. */
export function withoutMoment(table: TableName): string {
  return `${table}: a moment is missing, as in ${table}('end'): expected ${forms}`;
}

/** The error for an argument that the engine could not know in advance. */
export function notConstant(table: TableName): string {
  return `${table}(): the moment must be a constant: ${forms}; to use a time from a table, query it first`;
}

/**
 * The moments that the SQL gives to a table, each once. `connection`: a sealed database, which
 * evaluates them.
 */
export async function findMoments(
  connection: DuckDBConnection,
  sql: string,
  table: TableName,
  parameters: ParameterValues,
): Promise<NamedMoment[]> {
  const moments = new Map<string, Moment>();
  for (const argument of new Set(argumentsOf(sql, table))) {
    if (argument === '') throw new SfkitError('SQL_ERROR', withoutMoment(table));
    const key = await evaluate(connection, argument, table, parameters);
    moments.set(key, parseMoment(key, table));
  }
  if (moments.size > maxMoments)
    throw new SfkitError(
      'SQL_ERROR',
      `${table}(): ${moments.size} moments in one query; at most ${maxMoments} are possible`,
    );
  return [...moments].map(([key, moment]) => ({ key, moment }));
}

async function evaluate(
  connection: DuckDBConnection,
  argument: string,
  table: TableName,
  parameters: ParameterValues,
): Promise<string> {
  const used = Object.entries(parameters).filter(([name]) =>
    new RegExp(`\\$${name}\\b`).test(argument),
  );
  const select = `SELECT ${keySql(`(${argument})`)}`;
  try {
    const result = await (used.length === 0
      ? connection.runAndReadAll(select)
      : connection.runAndReadAll(select, Object.fromEntries(used)));
    return String(result.getRows()[0]?.[0]);
  } catch (error) {
    throw new SfkitError('SQL_ERROR', notConstant(table), { cause: error });
  }
}

/** Parses the text of a moment: a time, seconds after the first event, `start` or `end`. */
export function parseMoment(text: string, table: TableName): Moment {
  const word = text.trim().toLowerCase();
  if (word === 'start' || word === 'end') return { kind: word, value: 0n };
  const value = seconds(word);
  if (value !== undefined) return { kind: 'relative', value };
  const time = nanoseconds(word);
  if (time !== undefined) return { kind: 'time', value: time };
  const shown = escapeForTerminal(text.length > 100 ? `${text.slice(0, 100)}…` : text);
  throw new SfkitError(
    'SQL_ERROR',
    `${table}(${quoteText(shown)}): no moment of a capture: expected ${forms}`,
  );
}

function seconds(text: string): bigint | undefined {
  const match = /^\+?(\d{1,9})(?:\.(\d*))?$/.exec(text);
  if (match === null) return undefined;
  return BigInt(match[1] as string) * 1_000_000_000n + fraction(match[2]);
}

/** A time as DuckDB writes it: date, then perhaps time of day and offset from UTC. */
function nanoseconds(text: string): bigint | undefined {
  const match =
    /^(\d{4}-\d\d-\d\d)(?:[t ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)? ?(z|[+-]\d\d(?::?\d\d)?)?$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, date, minutes = '00:00', second = '00', part, zone = 'z'] = match;
  const offset =
    zone === 'z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`;
  const milliseconds = Date.parse(`${date}T${minutes}:${second}${offset}`);
  if (Number.isNaN(milliseconds) || milliseconds < 0) return undefined;
  return BigInt(milliseconds) * 1_000_000n + fraction(part);
}

/** Decimal digits of a second, as nanoseconds. */
function fraction(digits: string | undefined): bigint {
  return BigInt((digits ?? '').slice(0, 9).padEnd(9, '0'));
}

/** What separates the calls of a function from text that looks like one. */
const token =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*.*?\*\/|\$([a-z_]\w*)?\$.*?\$\1\$|[\p{L}_][\p{L}\d_$]*|\s+|./gisu;

/** The arguments of the calls of a function in SQL, as text; '' for none. */
export function argumentsOf(sql: string, name: string): string[] {
  const tokens = [...sql.matchAll(token)]
    .map(({ 0: text, index }) => ({ text, index }))
    .filter(({ text }) => !/^(?:\s|--|\/\*)/.test(text));
  return tokens.flatMap(({ text }, place) => {
    const isNamed = [name, `"${name}"`].includes(text.toLowerCase());
    if (!isNamed || tokens[place + 1]?.text !== '(') return [];
    let depth = 0;
    for (let end = place + 2; end < tokens.length; end++) {
      const { text: at, index } = tokens[end] as (typeof tokens)[number];
      if (at === '(') depth++;
      if (at === ')' && depth-- === 0)
        return [end === place + 2 ? '' : sql.slice(tokens[place + 2]?.index, index)];
    }
    return [];
  });
}
