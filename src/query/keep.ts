import { join } from 'node:path';
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { openDatabase } from '../duckdb/database.js';
import { onSqlError } from '../duckdb/sql-error.js';
import { quoteIdentifier, quoteText } from '../duckdb/sql-text.js';
import { captureTables, type TableName, tables, views } from '../engine/columns.gen.js';
import { SfkitError, unwritable } from '../engine/errors.js';
import { isStreamInput, looksLikeCapture } from '../engine/input-kind.js';
import { completeDatabase, rejectLogs } from '../export/database.js';
import { isStream } from '../output/sink.js';
import { stageFile } from '../output/staged.js';
import { isFiltered } from './capture-tables/condition.js';
import { isAtMoment } from './capture-tables/moments.js';
import { resolveInputs } from './inputs.js';
import { stageResult } from './result-stage.js';

// Database files that stay, for -o NAME.duckdb.

const kept = 'sfkit_kept';

/**
 * The tables that a database of inputs gets: all tables of records and, if an input is a capture
 * that can be read again, those that only captures have. `events` and `calls` are left out: they
 * are made for the columns and conditions of a statement, as the state at a moment is. A filter
 * selects events, and the other capture tables have none.
 */
export function tablesToKeep(paths: readonly string[], hasFilter: boolean): TableName[] {
  const records = tables.filter(({ kind }) => kind !== 'all').map(({ name }) => name);
  const inputs = resolveInputs(paths).filter(({ kind }) => kind === 'engine');
  const isStreamed = inputs.some(({ path }) => isStreamInput(path));
  if (hasFilter || isStreamed || !inputs.some(({ path }) => looksLikeCapture(path))) return records;
  return [
    ...records,
    ...captureTables
      .map(({ name }) => name)
      .filter((name) => !isFiltered(name) && !isAtMoment(name)),
  ];
}

/** SQL that needs every column of these tables; it is not to be run. */
export function sqlOf(names: readonly TableName[]): string {
  return `SELECT * FROM ${names.map(quoteIdentifier).join(', ')}`;
}

/** Writes tables of a dataset, and the view sysflow, into a new database file. */
export async function keepTables(
  connection: DuckDBConnection,
  names: readonly TableName[],
  target: string,
): Promise<void> {
  await writeDatabaseFile(target, async (path, scratch) => {
    const tables = [...names, ...(await otherTables(connection))];
    await connection.run(`ATTACH ${quoteText(path)} AS ${kept}`);
    for (const name of tables) {
      const table = quoteIdentifier(name);
      await connection.run(`CREATE TABLE ${kept}.main.${table} AS SELECT * FROM ${table}`);
    }
    await connection.run(`DETACH ${kept}`);
    // A view in an attached database would refer to the tables of this one.
    const database = await openDatabase({ path, temporary: join(scratch, 'spill'), threads: 1 });
    try {
      await completeDatabase((sql) => database.connection.run(sql), names, 'idx, filename');
    } finally {
      database.close();
    }
  });
}

/** Writes a result, or its first `rows`, into a new database file, as the table `result`. */
export async function keepResult(
  result: DuckDBResult,
  target: string,
  rows?: number,
): Promise<void> {
  await writeDatabaseFile(target, async (path, scratch) => {
    const staged = await stageResult(result, 'parquet', scratch, rows);
    try {
      await staged.connection.run(`ATTACH ${quoteText(path)} AS ${kept}`);
      await staged.connection.run(`CREATE TABLE ${kept}.main.result AS ${staged.select}`);
      await staged.connection.run(`DETACH ${kept}`);
    } finally {
      staged.close();
    }
  });
}

/** Tables of files under their own names. */
async function otherTables(connection: DuckDBConnection): Promise<string[]> {
  const known = [...tables, ...captureTables, ...views]
    .map(({ name }) => quoteText(name))
    .join(', ');
  const found = await connection.runAndReadAll(
    `SELECT view_name FROM duckdb_views() WHERE NOT internal AND database_name = 'memory' AND schema_name = 'main' AND view_name NOT IN (${known}) ORDER BY 1`,
  );
  return found.getRows().map(([name]) => String(name));
}

async function writeDatabaseFile(
  target: string,
  write: (path: string, scratch: string) => Promise<void>,
): Promise<void> {
  if (isStream(target))
    throw new SfkitError('INVALID_ARGUMENT', `${target}: a database must be a file`);
  rejectLogs(target);
  const file = stageFile(target, 'kept.duckdb');
  try {
    await onSqlError(() => write(file.path, file.scratch), target);
    rejectLogs(target);
    await file.commit();
  } catch (error) {
    throw unwritable(target, error);
  } finally {
    file.discard();
  }
}
