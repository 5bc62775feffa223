import type { DuckDBConnection } from '@duckdb/node-api';
import { sqlTypes } from '../../duckdb/sql-text.js';
import { captureTables, tableColumns, tables } from '../../engine/columns.gen.js';
import type { SqlTable, Surroundings } from './types.js';

/** The tables that every dataset has. */
export function declaredTables(): SqlTable[] {
  return [...tables, ...captureTables].map(({ name }) => ({
    name,
    columns: tableColumns[name].map((column) => ({
      name: column.name,
      type: sqlTypes[column.type],
    })),
  }));
}

/** The tables of an open dataset, in the order of the documentation; then others. */
export async function tablesOf(connection: DuckDBConnection): Promise<SqlTable[]> {
  const result = await connection.runAndReadAll(
    `SELECT table_name, column_name, data_type FROM duckdb_columns()
     WHERE NOT internal AND schema_name = 'main' ORDER BY table_name, column_index`,
  );
  const found = new Map<string, { name: string; type: string }[]>();
  for (const [table, name, type] of result.getRows() as [string, string, string][]) {
    const columns = found.get(table) ?? [];
    columns.push({ name, type });
    found.set(table, columns);
  }
  const declared = declaredTables().map((table) => ({
    ...table,
    columns: found.get(table.name) ?? table.columns,
  }));
  const known = new Set(declared.map(({ name }) => name));
  return [
    ...declared,
    ...[...found]
      .filter(([name]) => !known.has(name))
      .map(([name, columns]) => ({ name, columns })),
  ];
}

/** A summary's times, in ns since 1970. */
interface Times {
  firstTime: bigint;
  lastTime: bigint;
}

/** The range of times of several inputs; undefined if they have no events. */
export function timesOf(summaries: readonly { summary: Times }[]): Surroundings['times'] {
  const known = summaries.map(({ summary }) => summary).filter(({ firstTime }) => firstTime > 0n);
  if (known.length === 0) return undefined;
  const starts = known.map(({ firstTime }) => firstTime).sort(byTime);
  const ends = known.map(({ lastTime }) => lastTime).sort(byTime);
  const text = (time: bigint) => new Date(Number(time / 1_000_000n)).toISOString();
  return { first: text(starts[0] as bigint), last: text(ends.at(-1) as bigint) };
}

const byTime = (one: bigint, other: bigint): number => (one < other ? -1 : Number(one > other));
