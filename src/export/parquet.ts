import type { TimestampUnit } from '../duckdb/sql-text.js';
import { loadAddon, type ParquetColumn, type ParquetFile } from '../engine/addon.js';
import type { ColumnBatch } from '../engine/batch.js';
import {
  openFlagNames,
  opNames,
  schemaVersion,
  type TableName,
  tableColumns,
} from '../engine/columns.gen.js';
import type { ByteSink } from '../output/sink.js';

/** Maximum bytes of row groups in memory, for all tables of an output together. */
const groupBytes = 16 * 1024 * 1024;

export interface ParquetOptions {
  /** Unit of times. Default: ns. */
  timestamps?: TimestampUnit | undefined;
  /** Number of tables that are written at the same time. Default: 1. */
  tables?: number;
}

/**
 * Writes one table as a Parquet file. The engine encodes each batch at once, so that memory holds
 * one row group, encoded and compressed.
 */
export class ParquetTableFile {
  readonly #sink: ByteSink;
  readonly #file: ParquetFile;

  constructor(
    table: TableName,
    sink: ByteSink,
    { timestamps = 'ns', tables = 1 }: ParquetOptions = {},
  ) {
    this.#sink = sink;
    this.#file = new (loadAddon().ParquetFile)({
      columns: parquetColumns(table, timestamps),
      metadata: [
        ['sfkit.table', table],
        ['sfkit.schema', String(schemaVersion)],
      ],
      groupBytes: Math.floor(groupBytes / tables),
    });
  }

  async write(batch: ColumnBatch): Promise<void> {
    await this.#put(this.#file.append(batch.data));
  }

  /** Writes the rest and closes the sink. */
  async close(): Promise<void> {
    await this.#put(this.#file.finish());
    await this.#sink.close();
  }

  discard(): void {}

  async #put(bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength > 0) await this.#sink.write(bytes);
  }
}

function parquetColumns(table: TableName, timestamps: TimestampUnit): ParquetColumn[] {
  return tableColumns[table].map(({ name, type, physical }) => {
    const column = { name, source: physical, names: [] };
    switch (type) {
      case 'ts':
        return { ...column, kind: timestamps };
      case 'ops':
        return { ...column, kind: 'names', names: operationNames };
      case 'flags':
        return { ...column, kind: 'names', names: flagNames };
      default:
        return { ...column, kind: type };
    }
  });
}

const operationNames = opNames.map((name, bit) => ({ name, mask: 2 ** bit, value: 2 ** bit }));

/** The lowest bits of open flags: a number, not a set. */
const accessMode = 3;

const flagNames = openFlagNames.map(([name, flag]) => ({
  name,
  mask: Math.max(flag, accessMode),
  value: flag,
}));
