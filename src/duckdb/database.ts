import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { ColumnBatch } from '../engine/batch.js';
import { opNames, type TableColumn, type TableName, tableColumns } from '../engine/columns.gen.js';
import { TextBudget } from '../engine/dictionary.js';
import { maxTime, physicalColumns, Spool } from '../output/spool.js';
import { registerRows, vectorSize } from './rows.js';
import { quoteIdentifier, quoteText, sqlTypes, type TimestampUnit } from './sql-text.js';

/** Where the physical columns of the tables are kept; users see views without this prefix. */
const storage = 'sfkit_storage';

export { physicalColumns } from '../output/spool.js';

export interface DatabaseOptions {
  /** Path of the database file; without it everything is held in memory. */
  path?: string;
  /** Directory for what does not fit in memory. */
  temporary?: string;
  /** Where extensions would be; without it, in the user's home. */
  extensions?: string;
  memoryLimit?: string;
  threads?: number;
  /** Default: true. Without it and with one thread rows keep their order too. */
  preserveOrder?: boolean;
  /** Touches no file at all. */
  sealed?: boolean;
}

/**
 * Settings that SQL may change although the others are locked: none of them reaches files, extensions or the
 * network.
 */
const freeSettings = [
  'Calendar',
  'TimeZone',
  'default_collation',
  'default_null_order',
  'default_order',
  'explain_output',
  'ieee_floating_point_ops',
  'integer_division',
  'max_expression_depth',
  'max_memory',
  'memory_limit',
  'null_order',
  'order_by_non_integer_literal',
  'pivot_limit',
  'preserve_insertion_order',
  'scalar_subquery_error_on_multiple_rows',
  'schema',
  'search_path',
  'threads',
  'worker_threads',
];

/** A DuckDB that looks for no extension anywhere, and whose answers do not depend on the machine. */
export async function openDatabase(
  options: DatabaseOptions = {},
): Promise<{ connection: DuckDBConnection; connect(): Promise<DuckDBConnection>; close(): void }> {
  // DuckDB would make it as the umask has it.
  if (options.temporary !== undefined) mkdirSync(options.temporary, { recursive: true, mode: 0o700 });
  const instance = await DuckDBInstance.create(options.path ?? ':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    // Nor for secrets of the user.
    allow_persistent_secrets: 'false',
    preserve_insertion_order: String(options.preserveOrder ?? true),
    allowed_configs: `[${freeSettings.map(quoteText).join(', ')}]`,
    ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
    ...(options.memoryLimit === undefined ? {} : { memory_limit: options.memoryLimit }),
    ...(options.temporary === undefined ? {} : { temp_directory: options.temporary }),
    ...(options.extensions === undefined ? {} : { extension_directory: options.extensions }),
    ...(options.sealed ? { enable_external_access: 'false' } : {}),
  });
  const connection = await instance.connect();
  // Both are those of the machine's locale otherwise.
  await connection.run("SET GLOBAL TimeZone = 'UTC'; SET GLOBAL Calendar = 'gregorian'");
  return {
    connection,
    connect: () => instance.connect(),
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/**
 * Loads batches into tables of one database. Text that rows have in common is kept once: such columns are stored as
 * ENUM, and the views over them show VARCHAR.
 */
export class TableLoader {
  readonly #connection: DuckDBConnection;
  readonly #scratch: string;
  readonly #budget = new TextBudget();
  readonly #spools = new Map<TableName, Spool>();
  readonly #columns = new Map<TableName, readonly string[]>();

  /** `scratch`: a directory of this loader's own, for the rows until all are there. */
  constructor(connection: DuckDBConnection, scratch: string) {
    this.#connection = connection;
    this.#scratch = scratch;
  }

  /** Makes an empty table for each name, so that views can be made over selectTable(). */
  async create(names: readonly TableName[]): Promise<void> {
    await this.#connection.run(`CREATE SCHEMA IF NOT EXISTS ${storage}`);
    for (const name of names) {
      const columns = physicalColumns(name).map((column) => `${column.name} ${sqlTypes[column.type]}`);
      await this.#connection.run(`CREATE TABLE ${stored(name)} (${columns.join(', ')})`);
      await this.#createView(name);
    }
  }

  /** Keeps these physical columns of a table alone; the others become null. */
  keep(table: TableName, columns: readonly string[]): void {
    this.#columns.set(table, columns);
  }

  append(batch: ColumnBatch): void {
    let spool = this.#spools.get(batch.table);
    if (spool === undefined) {
      const path = join(this.#scratch, `${batch.table}.rows`);
      const columns = this.#columns.get(batch.table);
      spool = new Spool(batch.table, path, { blockRows: vectorSize, budget: this.#budget, columns });
      this.#spools.set(batch.table, spool);
    }
    spool.append(batch);
  }

  /** Everything appended can be queried after this. */
  async finish(): Promise<void> {
    for (const [name, spool] of this.#spools) {
      const rows = `sfkit_rows_of_${name}`;
      const registered = registerRows(this.#connection, rows, spool);
      const columns = physicalColumns(name).map((column) =>
        spool.columns.includes(column) ? column.name : `CAST(NULL AS ${sqlTypes[column.type]}) AS ${column.name}`,
      );
      await this.#connection.run(
        `CREATE OR REPLACE TABLE ${stored(name)} AS SELECT ${columns.join(', ')} FROM ${rows}()`,
      );
      await this.#createView(name, registered.text);
      spool.close();
    }
    this.close();
  }

  /** Forgets what is not finished. */
  close(): void {
    for (const spool of this.#spools.values()) spool.close();
    this.#spools.clear();
  }

  #createView(name: TableName, text?: (column: string) => string): Promise<unknown> {
    const select = `SELECT ${columnsSql(name, { text }).join(', ')} FROM ${stored(name)}`;
    return this.#connection.run(`CREATE OR REPLACE VIEW ${shown(name)} AS ${select}`);
  }
}

/** SELECT of a loaded table with all its columns, the derived ones included. */
export function selectTable(name: TableName): string {
  return `SELECT * FROM ${shown(name)}`;
}

export interface ColumnsSqlOptions {
  /** How a text column is read. */
  text?: ((column: string) => string) | undefined;
  timestamps?: TimestampUnit;
}

/** The columns of a table as SQL over its physical ones. */
export function columnsSql(table: TableName, { text, timestamps = 'ns' }: ColumnsSqlOptions = {}): string[] {
  const physical = physicalColumns(table);
  return tableColumns[table].map((column) => {
    if (!column.derived) return column.type === 'str' && text ? `${text(column.name)} AS ${column.name}` : column.name;
    const source = (physical[column.physical] as TableColumn).name;
    return `${column.type === 'ts' ? timeSql(source, timestamps) : operationsSql(source)} AS ${column.name}`;
  });
}

/**
 * The time that a column of nanoseconds means as TIMESTAMP_NS, or the microsecond it is in as TIMESTAMPTZ, the type
 * that Parquet marks as UTC; null for what no time can be, where make_timestamp_ns() fails.
 */
function timeSql(nanoseconds: string, unit: TimestampUnit): string {
  const time = unit === 'ns' ? `make_timestamp_ns(${nanoseconds})` : `make_timestamptz(${nanoseconds} // 1000)`;
  return `CASE WHEN ${nanoseconds} BETWEEN 0 AND ${maxTime} THEN ${time} END`;
}

/** SQL for the names of the operations in a column of bits. */
export function operationsSql(bits: string): string {
  const names = opNames.map((name, bit) => `CASE WHEN (${bits} >> ${bit}) & 1 = 1 THEN '${name}' END`);
  // A test of the bits first: most rows share few combinations, but null stays null.
  return `CASE WHEN ${bits} IS NULL THEN NULL ELSE list_filter([${names.join(', ')}], lambda name: name IS NOT NULL) END`;
}

/** The table with the physical columns. */
function stored(name: TableName): string {
  return `${storage}.${quoteIdentifier(`${name}_rows`)}`;
}

/** The view with all columns, as users see them. */
function shown(name: TableName): string {
  return `${storage}.${quoteIdentifier(name)}`;
}
