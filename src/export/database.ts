import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../duckdb/database.js';
import { quoteIdentifier, quoteText, sqlTypes } from '../duckdb/sql-text.js';
import { createViewsSql } from '../duckdb/views.js';
import {
  type ColumnSpec,
  captureTables,
  columns as columnSpecs,
  schemaVersion,
  type TableName,
  tableColumns,
  tables as tableSpecs,
  views,
} from '../engine/columns.gen.js';
import { SfkitError, unwritable } from '../engine/errors.js';
import type { SinkOptions } from '../output/sink.js';
import { stageFile } from '../output/staged.js';
import { lookAt } from '../output/target.js';
import type { Conversion } from './plan.js';
import type { TableOutput } from './tables.js';
import { openTables } from './tables.js';

/**
 * Writes a DuckDB database with every table, and the view sysflow of all events and flows. Rows are
 * first collected in Parquet files next to it, so that memory does not grow with them.
 */
export async function openDatabaseFile(
  conversion: Conversion,
  tables: readonly TableName[],
  options: SinkOptions = {},
): Promise<TableOutput> {
  rejectLogs(conversion.output);
  const place = stageFile(conversion.output, 'sysflow.duckdb', options);
  const directory = join(place.scratch, 'tables');
  // Messages name the output, not its temporary files.
  const named = (error: unknown) => unwritable(conversion.output, (error as Error).cause ?? error);
  let rows: TableOutput;
  try {
    rows = await openTables(
      { ...conversion, format: 'parquet', shape: 'directory', output: directory },
      tables,
    );
  } catch (error) {
    place.discard();
    throw named(error);
  }
  return {
    async write(batch) {
      try {
        await rows.write(batch);
      } catch (error) {
        throw named(error);
      }
    },
    async finish() {
      try {
        await rows.finish();
        await fill(place.path, place.scratch, directory, tables);
      } catch (error) {
        throw named(error);
      }
      rejectLogs(conversion.output);
      await place.commit();
    },
    discard() {
      rows.discard();
      place.discard();
    },
  };
}

/**
 * Rejects an output next to the log of an older database: DuckDB would replay that log into the new
 * one.
 */
export function rejectLogs(output: string): void {
  for (const path of new Set([output, lookAt(output).path])) {
    for (const ending of ['.wal', '.wal.checkpoint', '.wal.recovery']) {
      if (lstatSync(path + ending, { throwIfNoEntry: false }) === undefined) continue;
      const reason = `${path}${ending} is the log of a database that is open or was not closed; remove it first`;
      throw new SfkitError('OUTPUT_UNWRITABLE', `cannot write ${output}: ${reason}`);
    }
  }
}

async function fill(
  path: string,
  scratch: string,
  directory: string,
  tables: readonly TableName[],
): Promise<void> {
  const database = await openDatabase({
    path,
    temporary: join(scratch, 'spill'),
    memoryLimit: '256MB',
    threads: 1,
  });
  const run = (sql: string) => database.connection.run(sql);
  try {
    for (const table of tables) {
      const columns = tableColumns[table].map(
        ({ name, type }) => `CAST(${name} AS ${sqlTypes[type]}) AS ${name}`,
      );
      const file = quoteText(join(directory, `${table}.parquet`));
      await run(
        `CREATE TABLE ${quoteIdentifier(table)} AS SELECT ${columns.join(', ')} FROM read_parquet(${file})`,
      );
    }
    await completeDatabase(run, tables, 'idx');
  } finally {
    database.close();
  }
}

/**
 * Describes the tables of a database that has all tables of records, and adds the view of all
 * events and flows.
 */
export async function completeDatabase(
  run: (sql: string) => Promise<unknown>,
  names: readonly TableName[],
  order: string,
): Promise<void> {
  for (const table of names) {
    const doc = [...tableSpecs, ...captureTables].find(({ name }) => name === table)?.doc ?? '';
    await run(`COMMENT ON TABLE ${quoteIdentifier(table)} IS ${quoteText(doc)}`);
    for (const column of columnSpecs)
      if (column.tables.includes(table)) await run(columnComment(table, column));
  }
  await run(`CREATE TABLE sfkit_schema AS SELECT ${schemaVersion} AS version`);
  await run(
    `COMMENT ON TABLE sfkit_schema IS ${quoteText('version of the tables and their columns')}`,
  );
  const columns = tableColumns.sysflow.map(({ name }) => name).join(', ');
  const union = tableSpecs
    .filter(({ kind }) => kind === 'event' || kind === 'flow')
    .map(({ name }) => `SELECT * FROM ${quoteIdentifier(name)}`);
  await run(
    `CREATE VIEW sysflow AS SELECT ${columns} FROM (${union.join(' UNION ALL BY NAME ')}) ORDER BY ${order}`,
  );
  for (const sql of createViewsSql()) await run(sql);
  for (const { name, doc } of views)
    await run(`COMMENT ON VIEW ${quoteIdentifier(name)} IS ${quoteText(doc)}`);
  await run('CHECKPOINT');
}

function columnComment(table: TableName, { name, unit, doc }: ColumnSpec): string {
  const text = unit === undefined ? doc : `${doc} [${unit}]`;
  return `COMMENT ON COLUMN ${quoteIdentifier(table)}.${quoteIdentifier(name)} IS ${quoteText(text)}`;
}
