import type { DuckDBConnection } from '@duckdb/node-api';
import { operationsSql } from '../duckdb/database.js';
import { quoteIdentifier, quoteText, sqlTypes } from '../duckdb/sql-text.js';
import { opNames, type TableColumn, type TableName, tableColumns, tables } from '../engine/columns.gen.js';
import { maxTime, physicalColumns } from '../output/spool.js';

// Tables that others may have written or changed, read with the columns and types of our own.

/** A column as a source has it. */
interface SourceColumn {
  name: string;
  type: string;
}

/** Something that SQL can select from, and what it has. */
export interface Source {
  from: string;
  columns: ReadonlyMap<string, SourceColumn>;
  /** What `filename` says in its rows instead. */
  shownAs?: string | undefined;
}

export async function describe(connection: DuckDBConnection, from: string): Promise<Source> {
  const result = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`);
  const columns = new Map<string, SourceColumn>();
  for (const [name, type] of result.getRows() as [string, string][]) columns.set(name.toLowerCase(), { name, type });
  return { from, columns };
}

/** The columns of a source that the table does not have, as SQL calls them. */
export function extraColumns(table: TableName, source: Source): string[] {
  const known = new Set(tableColumns[table].map(({ name }) => name));
  return [...source.columns].filter(([key]) => !known.has(key)).map(([, { name }]) => name);
}

/** The columns of a table that a source does not have and that cannot be made of others. */
export function missingColumns(table: TableName, source: Source): string[] {
  return tableColumns[table].filter((column) => valueSql(table, column, source) === undefined).map(({ name }) => name);
}

/** SELECT of a source with the columns of a table in their types, then those of its own. */
export function selectSource(table: TableName, source: Source): string {
  const columns = tableColumns[table].map((column) => {
    const name = quoteIdentifier(column.name);
    if (column.name === 'filename' && source.shownAs !== undefined) return `${quoteText(source.shownAs)} AS ${name}`;
    return `${valueSql(table, column, source) ?? `CAST(NULL AS ${sqlTypes[column.type]})`} AS ${name}`;
  });
  return `SELECT ${[...columns, ...extraColumns(table, source).map(quoteIdentifier)].join(', ')} FROM ${source.from}`;
}

function valueSql(table: TableName, column: TableColumn, source: Source): string | undefined {
  const own = source.columns.get(column.name);
  if (column.derived) {
    const base = (physicalColumns(table)[column.physical] as TableColumn).name;
    // In its type it is taken as it is; else the number tells it exactly.
    if (own?.type === sqlTypes[column.type]) return quoteIdentifier(own.name);
    const numbers = source.columns.get(base);
    if (numbers !== undefined)
      return derivedSql(column.type, cast(numbers, column.type === 'ts' ? 'BIGINT' : 'INTEGER'));
    if (own === undefined) return undefined;
    return column.type === 'ts' ? timestampSql(nanosecondsSql(own)) : cast(own, sqlTypes[column.type]);
  }
  const derived = tableColumns[table].find(
    (other) => other.derived && physicalColumns(table)[other.physical] === column,
  );
  const shown = derived === undefined ? undefined : source.columns.get(derived.name);
  // Where pandas made floating-point numbers of times, because some are missing, the times are still exact.
  const isRounded = derived?.type === 'ts' && (own?.type === 'DOUBLE' || own?.type === 'FLOAT') && shown !== undefined;
  if (own !== undefined && !isRounded) return cast(own, sqlTypes[column.type]);
  if (derived !== undefined && shown !== undefined) {
    return derived.type === 'ts' ? nanosecondsSql(shown) : bitsSql(cast(shown, sqlTypes.ops));
  }
  if (column.name === 'idx') return 'row_number() OVER () - 1';
  const record = tables.find(({ name }) => name === table)?.record ?? '';
  return column.name === 'type' && record !== '' ? quoteText(record) : undefined;
}

function cast({ name, type }: SourceColumn, wanted: string): string {
  return type === wanted ? quoteIdentifier(name) : `CAST(${quoteIdentifier(name)} AS ${wanted})`;
}

function derivedSql(type: TableColumn['type'], base: string): string {
  return type === 'ts' ? timestampSql(base) : operationsSql(base);
}

/** Numbers that are no time, like the largest there is, make none. */
function timestampSql(nanoseconds: string): string {
  return `CASE WHEN ${nanoseconds} BETWEEN 0 AND ${maxTime} THEN make_timestamp_ns(${nanoseconds}) END`;
}

/** Nanoseconds since 1970 of a time of any kind, which is UTC where it does not say. */
function nanosecondsSql({ name, type }: SourceColumn): string {
  const column = quoteIdentifier(name);
  if (type === 'TIMESTAMP_NS') return `epoch_ns(${column})`;
  if (type.startsWith('TIMESTAMP')) return `epoch_us(${column}) * 1000`;
  if (type === 'DATE') return `epoch_us(CAST(${column} AS TIMESTAMP)) * 1000`;
  if (type === 'VARCHAR' || type.startsWith('ENUM')) return `epoch_ns(CAST(rtrim(${column}, 'Z') AS TIMESTAMP_NS))`;
  return `CAST(${column} AS BIGINT)`;
}

function bitsSql(names: string): string {
  const list = opNames.map((name) => quoteText(name)).join(', ');
  return `CAST(coalesce(list_sum(list_transform(${names}, lambda name: 1 << (list_position([${list}], name) - 1))), CASE WHEN ${names} IS NOT NULL THEN 0 END) AS INTEGER)`;
}

/** The table that a file holds which does not say: the largest one whose columns it has all. */
export function guessTable(columns: ReadonlySet<string>): TableName | undefined {
  return [...tables]
    .sort((left, right) => tableColumns[right.name].length - tableColumns[left.name].length)
    .find(({ name }) => physicalColumns(name).every((column) => columns.has(column.name)))?.name;
}
