import type { DuckDBConnection } from '@duckdb/node-api';
import { namesSql } from '../duckdb/database.js';
import { quoteIdentifier, quoteText, sqlTypes } from '../duckdb/sql-text.js';
import {
  openFlagNames,
  opNames,
  type TableColumn,
  type TableName,
  tableColumns,
  tables,
} from '../engine/columns.gen.js';
import { maxTime, physicalColumns } from '../output/spool.js';

// Reads tables that other programs may have written or changed, with our columns and types.

/** A column of a source. */
interface SourceColumn {
  name: string;
  type: string;
}

/** Something that SQL can select from, with its columns. */
export interface Source {
  from: string;
  columns: ReadonlyMap<string, SourceColumn>;
  /** Replacement for `filename` in its rows. */
  shownAs?: string | undefined;
}

export async function describe(connection: DuckDBConnection, from: string): Promise<Source> {
  const result = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`);
  const columns = new Map<string, SourceColumn>();
  for (const [name, type] of result.getRows() as [string, string][])
    columns.set(name.toLowerCase(), { name, type });
  return { from, columns };
}

/** The columns of a source that the table lacks, as SQL names them. */
export function extraColumns(table: TableName, source: Source): string[] {
  const known = new Set(tableColumns[table].map(({ name }) => name));
  return [...source.columns].filter(([key]) => !known.has(key)).map(([, { name }]) => name);
}

/** The columns of a table that a source lacks and that cannot be derived. */
export function missingColumns(table: TableName, source: Source): string[] {
  return tableColumns[table]
    .filter((column) => valueSql(table, column, source) === undefined)
    .map(({ name }) => name);
}

/**
 * SELECT of a source with the typed columns of a table, followed by the source's additional
 * columns.
 */
export function selectSource(table: TableName, source: Source): string {
  const columns = tableColumns[table].map((column) => {
    const name = quoteIdentifier(column.name);
    if (column.name === 'filename' && source.shownAs !== undefined)
      return `${quoteText(source.shownAs)} AS ${name}`;
    return `${valueSql(table, column, source) ?? `CAST(NULL AS ${sqlTypes[column.type]})`} AS ${name}`;
  });
  return `SELECT ${[...columns, ...extraColumns(table, source).map(quoteIdentifier)].join(', ')} FROM ${source.from}`;
}

function valueSql(table: TableName, column: TableColumn, source: Source): string | undefined {
  const own = source.columns.get(column.name);
  if (column.derived) {
    const base = (physicalColumns(table)[column.physical] as TableColumn).name;
    // A column of the right type is used as it is; otherwise the integer column is exact.
    if (own?.type === sqlTypes[column.type]) return quoteIdentifier(own.name);
    const numbers = source.columns.get(base);
    if (numbers !== undefined)
      return derivedSql(column.type, cast(numbers, column.type === 'ts' ? 'BIGINT' : 'INTEGER'));
    if (own === undefined) return undefined;
    return column.type === 'ts'
      ? timestampSql(nanosecondsSql(own))
      : cast(own, sqlTypes[column.type]);
  }
  const derived = tableColumns[table].find(
    (other) => other.derived && physicalColumns(table)[other.physical] === column,
  );
  const shown = derived === undefined ? undefined : source.columns.get(derived.name);
  // pandas turns integers with missing values into floating-point numbers; the times are still
  // exact.
  const isRounded =
    derived?.type === 'ts' &&
    (own?.type === 'DOUBLE' || own?.type === 'FLOAT') &&
    shown !== undefined;
  if (own !== undefined && !isRounded) return cast(own, sqlTypes[column.type]);
  if (derived !== undefined && shown !== undefined) {
    return derived.type === 'ts'
      ? nanosecondsSql(shown)
      : bitsSql(derived.type, cast(shown, sqlTypes.ops));
  }
  if (column.name === 'idx') return 'row_number() OVER () - 1';
  const record = tables.find(({ name }) => name === table)?.record ?? '';
  if (column.name === 'type' && record !== '') return quoteText(record);
  return laterSql(table, column.name, source);
}

const bit = (op: string) => 1 << opNames.indexOf(op);

const isTcp = 'net_proto = 6';
const isExit = `opflags_bitmap & ${bit('EXIT')} <> 0 AND ret >= 0`;
const accepted = `${isTcp} AND opflags_bitmap & ${bit('ACCEPT')} <> 0`;
const connected = `${isTcp} AND opflags_bitmap & ${bit('CONNECT')} <> 0`;

/** Columns that older files lack, made of columns that they have. */
const laterColumns: Readonly<Record<string, { from: readonly string[]; sql: string }>> = {
  duration: {
    from: ['ts_uts', 'endts_uts'],
    sql: `CASE WHEN ts_uts BETWEEN 0 AND ${maxTime} AND endts_uts BETWEEN 0 AND ${maxTime} THEN endts_uts - ts_uts END`,
  },
  failed: {
    from: ['ret', 'opflags_bitmap'],
    sql: `ret < 0 AND opflags_bitmap & ${bit('EXIT')} = 0`,
  },
  exit_code: {
    from: ['ret', 'opflags_bitmap'],
    sql: `CASE WHEN ${isExit} AND ret & 127 = 0 THEN (ret >> 8) & 255 END`,
  },
  signal: { from: ['ret', 'opflags_bitmap'], sql: `CASE WHEN ${isExit} THEN ret & 127 END` },
  role: {
    from: ['net_proto', 'opflags_bitmap'],
    sql: `CASE WHEN ${accepted} THEN 'server' WHEN ${connected} THEN 'client' END`,
  },
  direction: {
    from: ['net_proto', 'opflags_bitmap'],
    sql: `CASE WHEN ${accepted} THEN 'in' WHEN ${connected} THEN 'out' END`,
  },
};

function laterSql(table: TableName, name: string, source: Source): string | undefined {
  const later = laterColumns[name];
  if (later === undefined) return undefined;
  let { sql } = later;
  for (const needed of later.from) {
    const column = tableColumns[table].find((one) => one.name === needed);
    const value = column && valueSql(table, column, source);
    if (value === undefined) return undefined;
    sql = sql.replace(new RegExp(`\\b${needed}\\b`, 'g'), () => `(${value})`);
  }
  return sql;
}

function cast({ name, type }: SourceColumn, wanted: string): string {
  return type === wanted ? quoteIdentifier(name) : `CAST(${quoteIdentifier(name)} AS ${wanted})`;
}

function derivedSql(type: TableColumn['type'], base: string): string {
  return type === 'ts' ? timestampSql(base) : namesSql(type, base);
}

/** Numbers that are not possible times, such as the largest integer, become null. */
function timestampSql(nanoseconds: string): string {
  return `CASE WHEN ${nanoseconds} BETWEEN 0 AND ${maxTime} THEN make_timestamp_ns(${nanoseconds}) END`;
}

/** Nanoseconds since 1970 of a time of any type, in UTC unless it has a zone. */
function nanosecondsSql({ name, type }: SourceColumn): string {
  const column = quoteIdentifier(name);
  if (type === 'TIMESTAMP_NS') return `epoch_ns(${column})`;
  if (type.startsWith('TIMESTAMP')) return `epoch_us(${column}) * 1000`;
  if (type === 'DATE') return `epoch_us(CAST(${column} AS TIMESTAMP)) * 1000`;
  if (type === 'VARCHAR' || type.startsWith('ENUM'))
    return `epoch_ns(CAST(rtrim(${column}, 'Z') AS TIMESTAMP_NS))`;
  return `CAST(${column} AS BIGINT)`;
}

function bitsSql(type: TableColumn['type'], names: string): string {
  const known =
    type === 'ops' ? opNames.map((name, place) => [name, 1 << place] as const) : openFlagNames;
  const list = known.map(([name]) => quoteText(name)).join(', ');
  const bits = known.map(([, value]) => value).join(', ');
  const values = `list_transform(${names}, lambda name: list_extract([${bits}], list_position([${list}], name)))`;
  return `CAST(coalesce(list_sum(${values}), CASE WHEN ${names} IS NOT NULL THEN 0 END) AS INTEGER)`;
}

/**
 * Guesses the table of a file: the largest table of whose columns it has all that are in every
 * version.
 */
export function guessTable(columns: ReadonlySet<string>): TableName | undefined {
  return [...tables]
    .sort((left, right) => tableColumns[right.name].length - tableColumns[left.name].length)
    .find(({ name, since = 1 }) =>
      physicalColumns(name).every((column) => column.since > since || columns.has(column.name)),
    )?.name;
}
