import { join } from 'node:path';
import type { ColumnBatch } from '../engine/batch.js';
import type { TableName } from '../engine/columns.gen.js';
import { openDatabase, quoteText, selectTable, TableLoader } from './duckdb.js';

/**
 * Writes tables as Parquet files. The rows are collected in a database file in `scratch`, so that the memory
 * needed does not grow with the capture, then copied out one table after the other in the order they came.
 */
export class ParquetWriter {
  readonly #database: Awaited<ReturnType<typeof openDatabase>>;
  readonly #loader: TableLoader;
  #closed = false;

  private constructor(database: Awaited<ReturnType<typeof openDatabase>>) {
    this.#database = database;
    this.#loader = new TableLoader(database.connection);
  }

  static async open(scratch: string, tables: readonly TableName[]): Promise<ParquetWriter> {
    const database = await openDatabase({
      path: join(scratch, 'rows.duckdb'),
      temporary: join(scratch, 'spill'),
      memoryLimit: '64MB',
      // One thread: the bytes of the files do not depend on the machine.
      threads: 1,
    });
    const writer = new ParquetWriter(database);
    await writer.#loader.create(tables);
    return writer;
  }

  append(batch: ColumnBatch): Promise<void> {
    return this.#loader.append(batch);
  }

  /** After the last append: writes each table to the path given for it. */
  async write(paths: ReadonlyMap<TableName, string>): Promise<void> {
    this.#loader.finish();
    for (const [table, path] of paths) {
      await this.#database.connection.run(
        `COPY (${selectTable(table)}) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, KV_METADATA {'sfkit.table': ${quoteText(table)}})`,
      );
    }
  }

  /** Lets go of the database file; more than once does no harm. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#loader.finish();
    this.#database.close();
  }
}
