import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { openDatabase, selectTable, TableLoader } from '../../src/duckdb/database.js';
import type { TimestampUnit } from '../../src/duckdb/sql-text.js';
import type { ColumnBatch } from '../../src/engine/batch.js';
import type { TableName } from '../../src/engine/columns.gen.js';
import { ArrowTableFile, ArrowTableStream } from '../../src/export/arrow.js';
import { ParquetWriter } from '../../src/export/parquet.js';
import { memorySink } from './sinks.js';

// Writes batches with every table writer, and reads them back with readers that are not sfkit's
// own.

export type Form = (typeof forms)[number];
export const forms = ['parquet', 'arrow file', 'arrow stream', 'query'] as const;

/** Passes a directory to an action, and removes it afterwards. */
export async function inDirectory<T>(action: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'sfkit-tables-'));
  try {
    return await action(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export function parquetOf(
  table: TableName,
  batches: Iterable<ColumnBatch>,
  options: { timestamps?: TimestampUnit } = {},
): Promise<ArrayBuffer> {
  return inDirectory(async (directory) => {
    const path = join(directory, 'table.parquet');
    const writer = new ParquetWriter(directory, [table], options);
    for (const batch of batches) writer.append(batch);
    await writer.write(new Map([[table, path]]));
    writer.close();
    return Uint8Array.from(readFileSync(path)).buffer;
  });
}

export function arrowOf(
  form: 'file' | 'stream',
  table: TableName,
  batches: Iterable<ColumnBatch>,
): Promise<Uint8Array> {
  return inDirectory(async (directory) => {
    const sink = memorySink();
    const writer =
      form === 'file'
        ? new ArrowTableFile(table, sink, { scratch: join(directory, 'rows') })
        : new ArrowTableStream(table, sink);
    for (const batch of batches) await writer.write(batch);
    await writer.close();
    return sink.bytes();
  });
}

/** Rows of SQL over the loaded table `rows`. */
export function queried(
  table: TableName,
  batches: Iterable<ColumnBatch>,
  sql: string,
): Promise<Record<string, unknown>[]> {
  return inDirectory(async (directory) => {
    const database = await openDatabase({ temporary: join(directory, 'spill') });
    try {
      const loader = new TableLoader(database.connection, directory);
      await loader.create([table]);
      await database.connection.run(`CREATE VIEW rows AS ${selectTable(table)}`);
      for (const batch of batches) loader.append(batch);
      await loader.finish();
      return (await database.connection.runAndReadAll(sql)).getRowObjects();
    } finally {
      database.close();
    }
  });
}

/** The values of some columns after a round trip. */
export async function written(
  form: Form,
  table: TableName,
  batches: Iterable<ColumnBatch>,
  columns: readonly string[],
): Promise<Record<string, unknown[]>> {
  if (form === 'arrow file' || form === 'arrow stream') {
    const read = tableFromIPC(
      await arrowOf(form === 'arrow file' ? 'file' : 'stream', table, batches),
    );
    return Object.fromEntries(
      columns.map((name) => [name, [...(read.getChild(name) as Iterable<unknown>)]]),
    );
  }
  const rows =
    form === 'query'
      ? await queried(table, batches, `SELECT ${columns.join(', ')} FROM rows`)
      : await parquetReadObjects({
          file: await parquetOf(table, batches),
          columns: [...columns],
          compressors,
          utf8: true,
        });
  return Object.fromEntries(columns.map((name) => [name, rows.map((row) => row[name])]));
}
