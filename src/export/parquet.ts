import { join } from 'node:path';
import type { ColumnBatch } from '../engine/batch.js';
import type { TableName } from '../engine/columns.gen.js';
import { columnsSql, openDatabase, quoteText } from './duckdb.js';
import { Spool } from './spool.js';

/** Rows of a row group: so many are held in memory at a time. */
const rowGroupSize = 20_480;

/** A column of at most so many distinct strings is written with all of them as dictionary of each row group. */
const smallDictionary = 4096;

/**
 * Writes tables as Parquet files. The rows are collected in files in `scratch`, so that the memory needed does
 * not grow with their number, then DuckDB writes one table after the other in the order they came.
 */
export class ParquetWriter {
  readonly #scratch: string;
  readonly #spools = new Map<TableName, Spool>();

  constructor(scratch: string, tables: readonly TableName[]) {
    this.#scratch = scratch;
    for (const table of tables) this.#spools.set(table, new Spool(table, join(scratch, `${table}.rows`)));
  }

  append(batch: ColumnBatch): void {
    this.#spools.get(batch.table)?.append(batch);
  }

  /** After the last append: writes each table to the path given for it. */
  async write(paths: ReadonlyMap<TableName, string>): Promise<void> {
    const database = await openDatabase({
      temporary: join(this.#scratch, 'spill'),
      memoryLimit: '128MB',
      // One thread: the bytes of the files do not depend on the machine.
      threads: 1,
    });
    try {
      for (const [table, path] of paths) {
        const spool = this.#spools.get(table) as Spool;
        const rows = `rows_of_${table}`;
        spool.register(database.connection, rows);
        // As ENUM the whole dictionary goes into every row group; a large one is better looked up row by row.
        const columns = columnsSql(table, (name) =>
          spool.distinct(name) <= smallDictionary ? name : `CAST(${name} AS VARCHAR) AS ${name}`,
        );
        await database.connection.run(
          `COPY (SELECT ${columns.join(', ')} FROM ${rows}()) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupSize}, KV_METADATA {'sfkit.table': ${quoteText(table)}})`,
        );
      }
    } finally {
      database.close();
    }
  }

  close(): void {
    for (const spool of this.#spools.values()) spool.close();
    this.#spools.clear();
  }
}
