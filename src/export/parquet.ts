import { join } from 'node:path';
import { columnsSql, openDatabase } from '../duckdb/database.js';
import { type RegisteredRows, registerRows, vectorSize } from '../duckdb/rows.js';
import { quoteText, type TimestampUnit } from '../duckdb/sql-text.js';
import type { ColumnBatch } from '../engine/batch.js';
import { schemaVersion, type TableName } from '../engine/columns.gen.js';
import { TextBudget } from '../engine/dictionary.js';
import { Spool } from '../output/spool.js';

// A row group ends at either limit; until then it is in memory.
const rowGroupRows = 20_480;
const rowGroupBytes = 16 * 1024 * 1024;

/** Maximum distinct strings of a column whose complete dictionary goes into each row group. */
const smallDictionary = 4096;

export interface ParquetOptions {
  /** Unit of times. Default: ns. */
  timestamps?: TimestampUnit | undefined;
}

/**
 * Writes tables as Parquet files. Rows are first collected in files in `scratch`, so that memory
 * does not grow with their number. Then DuckDB writes one table after the other, with rows in order
 * of arrival.
 */
export class ParquetWriter {
  readonly #scratch: string;
  readonly #timestamps: TimestampUnit;
  readonly #spools = new Map<TableName, Spool>();

  constructor(
    scratch: string,
    tables: readonly TableName[],
    { timestamps = 'ns' }: ParquetOptions = {},
  ) {
    this.#scratch = scratch;
    this.#timestamps = timestamps;
    const budget = new TextBudget();
    for (const table of tables) {
      this.#spools.set(
        table,
        new Spool(table, join(scratch, `${table}.rows`), { blockRows: vectorSize, budget }),
      );
    }
  }

  append(batch: ColumnBatch): void {
    this.#spools.get(batch.table)?.append(batch);
  }

  /** After the last append: writes each table to its path. */
  async write(paths: ReadonlyMap<TableName, string>): Promise<void> {
    const database = await openDatabase({
      temporary: join(this.#scratch, 'spill'),
      memoryLimit: '128MB',
      // With one thread, the bytes do not depend on the machine, and rows keep their order without
      // the setting for it, which excludes row groups limited by bytes.
      threads: 1,
      preserveOrder: false,
    });
    try {
      for (const [table, path] of paths) {
        const spool = this.#spools.get(table) as Spool;
        const rows = `rows_of_${table}`;
        const registered = registerRows(database.connection, rows, spool);
        const columns = columnsSql(table, {
          text: (name) => textSql(spool, registered, name),
          timestamps: this.#timestamps,
        });
        await database.connection.run(
          `COPY (SELECT ${columns.join(', ')} FROM ${rows}()) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupRows}, ROW_GROUP_SIZE_BYTES ${rowGroupBytes}, KV_METADATA {'sfkit.table': ${quoteText(table)}, 'sfkit.schema': '${schemaVersion}'})`,
        );
        spool.close();
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

/** An ENUM puts its complete dictionary into every row group, so a large one is written as text. */
function textSql(spool: Spool, registered: RegisteredRows, column: string): string {
  const dictionary = spool.dictionary(column);
  if (dictionary === undefined) return column;
  const rowGroups = Math.ceil(spool.rows / rowGroupRows);
  const pays =
    dictionary.size <= smallDictionary && dictionary.textBytes * rowGroups <= dictionary.rowBytes;
  return pays && !registered.escapes(column) ? column : registered.text(column);
}
