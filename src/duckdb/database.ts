import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { ColumnBatch } from '../engine/batch.js';
import {
  openFlagNames,
  opNames,
  type TableColumn,
  type TableName,
  tableColumns,
} from '../engine/columns.gen.js';
import { TextBudget } from '../engine/dictionary.js';
import { maxTime, physicalColumns, Spool } from '../output/spool.js';
import { DuckDBInstance } from './api.js';
import { registerRows, vectorSize } from './rows.js';
import { quoteIdentifier, quoteText, sqlTypes, type TimestampUnit } from './sql-text.js';

/** Schema of the tables with physical columns; users see views without this prefix. */
const storage = 'sfkit_storage';

export { physicalColumns } from '../output/spool.js';

export interface DatabaseOptions {
  /** Path of the database file. Default: in memory. */
  path?: string;
  /** Directory for data that does not fit in memory. */
  temporary?: string;
  /** Extension directory. Default: in the user's home. */
  extensions?: string;
  memoryLimit?: string;
  threads?: number;
  /** Default: true. With one thread, rows keep their order even without it. */
  preserveOrder?: boolean;
  /** The database accesses no file. */
  sealed?: boolean;
  /** SQL may not change how much memory and how many threads it uses. */
  fixesResources?: boolean;
}

/** Settings of the memory and threads that DuckDB uses. */
const resourceSettings = new Set(['max_memory', 'memory_limit', 'threads', 'worker_threads']);

/**
 * Settings that SQL may change while the others are locked: none of them reaches files, extensions
 * or the network.
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

/** DuckDB's default keeps 128 MB of freed memory, which its limit does not count. */
const returnsMemory = {
  allocator_flush_threshold: '4MB',
  allocator_bulk_deallocation_flush_threshold: '4MB',
};

/**
 * Opens a DuckDB that never looks for extensions, and whose answers do not depend on the machine.
 */
export async function openDatabase(
  options: DatabaseOptions = {},
): Promise<{ connection: DuckDBConnection; connect(): Promise<DuckDBConnection>; close(): void }> {
  // DuckDB would create it with the permissions of the umask.
  if (options.temporary !== undefined)
    mkdirSync(options.temporary, { recursive: true, mode: 0o700 });
  const free = freeSettings.filter(
    (name) => !(options.fixesResources && resourceSettings.has(name)),
  );
  const instance = await DuckDBInstance.create(options.path ?? ':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    // Nor does it read the user's secrets.
    allow_persistent_secrets: 'false',
    preserve_insertion_order: String(options.preserveOrder ?? true),
    allowed_configs: `[${free.map(quoteText).join(', ')}]`,
    ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
    ...(options.memoryLimit === undefined
      ? {}
      : { memory_limit: options.memoryLimit, ...returnsMemory }),
    ...(options.temporary === undefined ? {} : { temp_directory: options.temporary }),
    ...(options.extensions === undefined ? {} : { extension_directory: options.extensions }),
    ...(options.sealed ? { enable_external_access: 'false' } : {}),
  });
  const connection = await instance.connect();
  // The first two default to the machine's locale. DuckDB counts progress only with the third.
  await connection.run(
    "SET GLOBAL TimeZone = 'UTC'; SET GLOBAL Calendar = 'gregorian'; SET enable_progress_bar = true; SET enable_progress_bar_print = false",
  );
  return {
    connection,
    connect: () => instance.connect(),
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** How much of its running statement a connection has done, from 0 to 1; 0 if it is unknown. */
export function sqlShare(connection: DuckDBConnection): number {
  return Math.max(connection.progress.percentage, 0) / 100;
}

let sealed: ReturnType<typeof openDatabase> | undefined;

/**
 * A connection without access to files, to parse SQL of users. All callers share its database, so
 * SQL of users must not be executed in it.
 */
export async function sealedConnection(): Promise<DuckDBConnection> {
  sealed ??= openDatabase({ sealed: true });
  return (await sealed).connection;
}

let nextRows = 1;

/**
 * Loads batches into tables of one database. Text that rows share is stored once: such columns are
 * ENUM, and the views over them show VARCHAR.
 */
export class TableLoader {
  readonly #connection: DuckDBConnection;
  readonly #scratch: string;
  readonly #budget = new TextBudget();
  readonly #spools = new Map<TableName, Spool>();
  readonly #columns = new Map<TableName, readonly string[]>();
  readonly #sharesText: boolean;

  /**
   * `scratch`: a directory for this loader alone, which collects the rows. Without `sharesText`
   * every text column is VARCHAR: a database file with ENUM takes long to open.
   */
  constructor(
    connection: DuckDBConnection,
    scratch: string,
    { sharesText = true }: { sharesText?: boolean } = {},
  ) {
    this.#connection = connection;
    this.#scratch = scratch;
    this.#sharesText = sharesText;
  }

  /** Creates an empty table for each name, so that views can use selectTable(). */
  async create(names: readonly TableName[]): Promise<void> {
    const statements = names.flatMap((name) => {
      const columns = physicalColumns(name).map(
        (column) => `${column.name} ${sqlTypes[column.type]}`,
      );
      return [`CREATE TABLE ${stored(name)} (${columns.join(', ')})`, viewSql(name)];
    });
    await this.#connection.run(
      [`CREATE SCHEMA IF NOT EXISTS ${storage}`, ...statements].join(';\n'),
    );
  }

  /** Keeps only these physical columns of a table; the others become null. */
  keep(table: TableName, columns: readonly string[]): void {
    this.#columns.set(table, columns);
  }

  append(batch: ColumnBatch): void {
    let spool = this.#spools.get(batch.table);
    if (spool === undefined) {
      const path = join(this.#scratch, `${batch.table}.rows`);
      const columns = this.#columns.get(batch.table);
      spool = new Spool(batch.table, path, {
        blockRows: vectorSize,
        budget: this.#budget,
        columns,
      });
      this.#spools.set(batch.table, spool);
    }
    spool.append(batch);
  }

  /** Makes all appended rows available to queries. */
  async finish(): Promise<void> {
    for (const [name, spool] of this.#spools) {
      // A connection keeps a function forever, so each table needs a new name.
      const rows = `sfkit_rows_${nextRows++}_of_${name}`;
      const registered = registerRows(this.#connection, rows, spool);
      const columns = physicalColumns(name).map((column) => {
        if (!spool.columns.includes(column))
          return `CAST(NULL AS ${sqlTypes[column.type]}) AS ${column.name}`;
        const isPlain = column.type === 'str' && !this.#sharesText;
        return isPlain ? `${registered.text(column.name)} AS ${column.name}` : column.name;
      });
      await this.#connection.run(
        `CREATE OR REPLACE TABLE ${stored(name)} AS SELECT ${columns.join(', ')} FROM ${rows}()`,
      );
      await this.#connection.run(viewSql(name, this.#sharesText ? registered.text : undefined));
      spool.close();
    }
    this.close();
  }

  /** Drops unfinished rows. */
  close(): void {
    for (const spool of this.#spools.values()) spool.close();
    this.#spools.clear();
  }
}

/** Creates the view over a stored table. */
function viewSql(name: TableName, text?: (column: string) => string): string {
  const select = `SELECT ${columnsSql(name, { text }).join(', ')} FROM ${stored(name)}`;
  return `CREATE OR REPLACE VIEW ${shown(name)} AS ${select}`;
}

/** SELECT of a loaded table with all its columns, including derived ones. */
export function selectTable(name: TableName): string {
  return `SELECT * FROM ${shown(name)}`;
}

/** The same in an attached database, whose tables were loaded without `sharesText`. */
export function selectAttached(
  database: string,
  name: TableName,
  text?: (column: string) => string,
): string {
  const columns = columnsSql(name, { text }).join(', ');
  return `SELECT ${columns} FROM ${quoteIdentifier(database)}.${stored(name)}`;
}

export interface ColumnsSqlOptions {
  /** SQL that reads a text column. */
  text?: ((column: string) => string) | undefined;
  timestamps?: TimestampUnit;
}

/** The columns of a table as SQL over its physical ones. */
export function columnsSql(
  table: TableName,
  { text, timestamps = 'ns' }: ColumnsSqlOptions = {},
): string[] {
  const physical = physicalColumns(table);
  return tableColumns[table].map((column) => {
    if (!column.derived)
      return column.type === 'str' && text ? `${text(column.name)} AS ${column.name}` : column.name;
    const source = (physical[column.physical] as TableColumn).name;
    return `${column.type === 'ts' ? timeSql(source, timestamps) : namesSql(column.type, source)} AS ${column.name}`;
  });
}

/**
 * Converts nanoseconds to TIMESTAMP_NS, or to TIMESTAMPTZ (microseconds), the type that Parquet
 * marks as UTC. Impossible times, for which make_timestamp_ns() fails, become null.
 */
function timeSql(nanoseconds: string, unit: TimestampUnit): string {
  const time =
    unit === 'ns'
      ? `make_timestamp_ns(${nanoseconds})`
      : `make_timestamptz(${nanoseconds} // 1000)`;
  return `CASE WHEN ${nanoseconds} BETWEEN 0 AND ${maxTime} THEN ${time} END`;
}

/** SQL for the names of the operations or open flags in a column of bits. */
export function namesSql(type: TableColumn['type'], bits: string): string {
  const tests =
    type === 'ops'
      ? opNames.map((name, bit) => [name, `(${bits} >> ${bit}) & 1 = 1`])
      : openFlagNames.map(([name, flag]) => [
          name,
          flag <= 3 ? `${bits} & 3 = ${flag}` : `${bits} & ${flag} <> 0`,
        ]);
  const names = tests.map(([name, test]) => `CASE WHEN ${test} THEN '${name}' END`);
  // Null stays null.
  return `CASE WHEN ${bits} IS NULL THEN NULL ELSE list_filter([${names.join(', ')}], lambda name: name IS NOT NULL) END`;
}

/** The name of the table with the physical columns. */
function stored(name: TableName): string {
  return `${storage}.${quoteIdentifier(`${name}_rows`)}`;
}

/** The name of the view with all columns. */
function shown(name: TableName): string {
  return `${storage}.${quoteIdentifier(name)}`;
}
