import {
  BIGINT,
  BOOLEAN,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  ENUM,
  INTEGER,
} from '@duckdb/node-api';
import bindings from '@duckdb/node-bindings';
import type { Column, ColumnBatch } from '../engine/batch.js';
import { opNames, type TableColumn, type TableName, tableColumns } from '../engine/columns.gen.js';

/** Rows of a DuckDB vector. */
const vectorSize = 2048;

/** Where the physical columns of the tables are kept; users see views without this prefix. */
const storage = 'sfkit_storage';

export interface DatabaseOptions {
  /** Path of the database file; without it everything is held in memory. */
  path?: string;
  /** Directory for what does not fit in memory. */
  temporary?: string;
  /** Where extensions would be; without it, in the user's home. */
  extensions?: string;
  memoryLimit?: string;
  threads?: number;
  /** Touches no file at all. */
  sealed?: boolean;
}

/** A DuckDB that looks for no extension anywhere. */
export async function openDatabase(
  options: DatabaseOptions = {},
): Promise<{ connection: DuckDBConnection; connect(): Promise<DuckDBConnection>; close(): void }> {
  const instance = await DuckDBInstance.create(options.path ?? ':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    // Nor for secrets of the user.
    allow_persistent_secrets: 'false',
    preserve_insertion_order: 'true',
    ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
    ...(options.memoryLimit === undefined ? {} : { memory_limit: options.memoryLimit }),
    ...(options.temporary === undefined ? {} : { temp_directory: options.temporary }),
    ...(options.extensions === undefined ? {} : { extension_directory: options.extensions }),
    ...(options.sealed ? { enable_external_access: 'false' } : {}),
  });
  const connection = await instance.connect();
  return {
    connection,
    connect: () => instance.connect(),
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Loads batches into tables of one database. */
export class TableLoader {
  readonly #connection: DuckDBConnection;
  readonly #appenders = new Map<TableName, DuckDBAppender>();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** Makes an empty table for each name. */
  async create(names: readonly TableName[]): Promise<void> {
    await this.#connection.run(`CREATE SCHEMA IF NOT EXISTS ${storage}`);
    for (const name of names) {
      const columns = physicalColumns(name).map((column) => `${column.name} ${sqlTypes[column.type]}`);
      await this.#connection.run(`CREATE TABLE ${stored(name)} (${columns.join(', ')})`);
    }
  }

  async append(batch: ColumnBatch): Promise<void> {
    let appender = this.#appenders.get(batch.table);
    if (appender === undefined) {
      appender = await this.#connection.createAppender(batch.table, storage);
      this.#appenders.set(batch.table, appender);
    }
    const columns = batch.columns.filter((column) => column.type !== 'ops' && column.type !== 'ts');
    const strings = enumOf(batch.strings);
    const types = columns.map((column) =>
      column.type === 'str' ? strings.type : fixedTypes[column.type].toLogicalType().logical_type,
    );
    // One chunk for all: making the ENUM type anew for each would cost far more than the copies.
    const chunk = new DuckDBDataChunk(bindings.create_data_chunk(types));
    for (let start = 0; start < batch.rows; start += vectorSize) {
      const rows = Math.min(vectorSize, batch.rows - start);
      bindings.data_chunk_reset(chunk.chunk);
      columns.forEach((column, index) => {
        const vector = bindings.data_chunk_get_vector(chunk.chunk, index);
        copyValues(vector, column, strings, start, rows);
        if (column.valid !== null) copyValidity(vector, column.valid, start, rows);
      });
      chunk.rowCount = rows;
      appender.appendDataChunk(chunk);
    }
    // The appender would hold 200,000 rows with a copy of every string before it hands them on.
    appender.flushSync();
  }

  /** Everything appended can be queried after this. */
  finish(): void {
    for (const appender of this.#appenders.values()) appender.closeSync();
    this.#appenders.clear();
  }
}

/** SELECT of a loaded table with all its columns, the derived ones included. */
export function selectTable(name: TableName): string {
  return `SELECT ${columnsSql(name).join(', ')} FROM ${stored(name)}`;
}

/** The columns of a table as SQL over its physical ones; `text` may change how those of text are read. */
export function columnsSql(table: TableName, text: (name: string) => string = (name) => name): string[] {
  const physical = physicalColumns(table);
  return tableColumns[table].map((column) => {
    if (!column.derived) return column.type === 'str' ? text(column.name) : column.name;
    const source = (physical[column.physical] as TableColumn).name;
    return `${column.type === 'ts' ? `make_timestamp_ns(${source})` : operationsSql(source)} AS ${column.name}`;
  });
}

/** The columns whose values a batch holds, in its order. */
export function physicalColumns(name: TableName): readonly TableColumn[] {
  return tableColumns[name].filter((column) => !column.derived);
}

/** SQL for the names of the operations in a column of bits. */
export function operationsSql(bits: string): string {
  const names = opNames.map((name, bit) => `CASE WHEN (${bits} >> ${bit}) & 1 = 1 THEN '${name}' END`);
  // A test of the bits first: most rows share few combinations, but null stays null.
  return `CASE WHEN ${bits} IS NULL THEN NULL ELSE list_filter([${names.join(', ')}], lambda name: name IS NOT NULL) END`;
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The SQL type of a column's values as users see them. */
export const sqlTypes: Readonly<Record<TableColumn['type'], string>> = {
  i32: 'INTEGER',
  i64: 'BIGINT',
  str: 'VARCHAR',
  bool: 'BOOLEAN',
  ops: 'VARCHAR[]',
  ts: 'TIMESTAMP_NS',
};

function stored(name: TableName): string {
  return `${storage}.${quoteIdentifier(name)}`;
}

/** The strings of a batch as the members of an ENUM type: rows are copied as indexes and cast natively. */
interface EnumStrings {
  type: bindings.LogicalType;
  /** Member of each string; differs from the string's own index only where two look the same. */
  members: Uint32Array | undefined;
  bytes: 1 | 2 | 4;
}

function enumOf(strings: readonly string[]): EnumStrings {
  const unique = new Map<string, number>();
  const members = new Uint32Array(strings.length);
  strings.forEach((text, index) => {
    // DuckDB takes member names up to a NUL.
    const name = text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
    let member = unique.get(name);
    if (member === undefined) {
      member = unique.size;
      unique.set(name, member);
    }
    members[index] = member;
  });
  const names = unique.size === 0 ? [''] : [...unique.keys()];
  return {
    type: ENUM(names).toLogicalType().logical_type,
    members: unique.size === strings.length ? undefined : members,
    bytes: names.length <= 0x100 ? 1 : names.length <= 0x10000 ? 2 : 4,
  };
}

const fixedTypes = { i32: INTEGER, i64: BIGINT, bool: BOOLEAN, ops: INTEGER, ts: BIGINT } as const;

function copyValues(vector: bindings.Vector, column: Column, strings: EnumStrings, start: number, rows: number): void {
  const values =
    column.type === 'str'
      ? enumIndexes(column.values as Uint32Array, strings, start, rows)
      : column.values.subarray(start, start + rows);
  bindings.copy_data_to_vector(vector, 0, values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
}

function enumIndexes(values: Uint32Array, { members, bytes }: EnumStrings, start: number, rows: number) {
  const narrow = bytes === 1 ? new Uint8Array(rows) : bytes === 2 ? new Uint16Array(rows) : new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    const index = values[start + row] as number;
    narrow[row] = members === undefined ? index : (members[index] as number);
  }
  return narrow;
}

/** `start` is a multiple of the vector size, so that the bits are whole bytes. */
function copyValidity(vector: bindings.Vector, valid: Uint8Array, start: number, rows: number): void {
  const words = new Uint8Array(Math.ceil(rows / 64) * 8);
  words.set(valid.subarray(start >> 3, (start + rows + 7) >> 3));
  bindings.vector_ensure_validity_writable(vector);
  bindings.copy_data_to_vector_validity(vector, 0, words.buffer, 0, words.byteLength);
}
