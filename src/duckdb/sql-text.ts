import type { TableColumn } from '../engine/columns.gen.js';

// Separate from database.ts, so that code that only writes SQL does not load DuckDB.

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Units of times in Parquet files. */
export const timestampUnits = ['ns', 'us'] as const;
export type TimestampUnit = (typeof timestampUnits)[number];

/** The SQL type of a column's values as users see them. */
export const sqlTypes: Readonly<Record<TableColumn['type'], string>> = {
  i32: 'INTEGER',
  i64: 'BIGINT',
  str: 'VARCHAR',
  bool: 'BOOLEAN',
  ops: 'VARCHAR[]',
  flags: 'VARCHAR[]',
  ts: 'TIMESTAMP_NS',
};
