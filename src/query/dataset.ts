import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { ColumnBatch } from '../engine/batch.js';
import { type TableName, tableColumns, tables } from '../engine/columns.gen.js';
import type { CollectorOptions } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { inputName, kindOf } from '../engine/input-kind.js';
import { openColumns, type Summary } from '../engine/session.js';
import { openDatabase, quoteIdentifier, quoteText, selectTable, TableLoader } from '../export/duckdb.js';
import { privateFile } from '../export/mode.js';
import { scratchDirectory } from '../export/pending.js';
import { type QueryInput, resolveInputs } from './inputs.js';
import { checkStatements } from './statements.js';

/** Inputs opened as tables of one database. */
export interface Dataset {
  connection: DuckDBConnection;
  /** What the engine said about each capture and SysFlow file. */
  summaries: { path: string; summary: Summary }[];
  close(): void;
}

const rowTables = tables.filter((table) => table.kind === 'event' || table.kind === 'flow');
const everyTable = tables.map((table) => table.name);

/**
 * Opens paths under the table names, rows of several inputs united. Parquet stays where it is; other inputs
 * are loaded, and of those only the tables that `sql` speaks of.
 */
export async function openDataset(
  paths: readonly string[],
  sql: string,
  collector: CollectorOptions = {},
): Promise<Dataset> {
  const inputs = resolveInputs(paths);
  const table = inputs.find(({ kind }) => kind !== 'engine');
  if (table !== undefined && collector.filter !== undefined) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${table.path}: a filter is about the events of a capture, and this is a table; use WHERE`,
    );
  }
  const { connection, scratch, close } = await openPassingDatabase();
  const summaries: Dataset['summaries'] = [];
  const loader = new TableLoader(connection, scratch);
  try {
    await checkStatements(connection, sql);
    await loader.create(everyTable);
    await createViews(connection, inputs);
    const wanted = tablesIn(connection, sql);
    for (const input of inputs) {
      if (input.kind === 'engine' && wanted.length > 0) {
        summaries.push({ path: input.path, summary: await loadCapture(loader, input, wanted, collector) });
      }
      if (input.kind === 'arrow') await loadArrow(loader, input);
    }
    await loader.finish();
    await connection.run('SET lock_configuration = true');
    return { connection, summaries, close };
  } catch (error) {
    loader.close();
    close();
    throw error;
  }
}

/** A database in memory that leaves nothing anywhere. */
async function openPassingDatabase(): Promise<Pick<Dataset, 'connection' | 'close'> & { scratch: string }> {
  const scratch = scratchDirectory(tmpdir(), tmpdir());
  // A file where extensions would go: none is found, and none can be put there.
  const extensions = join(scratch.path, 'extensions');
  writeFileSync(extensions, '', { mode: privateFile });
  // One thread: with several, the order of groups and the last digits of sums would change from run to run.
  const database = await openDatabase({ temporary: join(scratch.path, 'spill'), extensions, threads: 1 });
  return {
    connection: database.connection,
    scratch: scratch.path,
    close() {
      database.close();
      scratch.discard();
    },
  };
}

async function loadCapture(
  loader: TableLoader,
  { path, shownAs }: QueryInput,
  wanted: readonly TableName[],
  collector: CollectorOptions,
): Promise<Summary> {
  const session = openColumns({
    filename: basename(inputName(path)),
    ...collector,
    input: path,
    kind: kindOf(path),
    tables: wanted,
  });
  for await (const batch of session) loader.append(named(batch, shownAs));
  return session.summary();
}

async function loadArrow(
  loader: TableLoader,
  input: Extract<QueryInput, { kind: 'arrow' | 'parquet' }>,
): Promise<void> {
  const { readArrow } = await import('./arrow-input.js');
  for await (const batch of readArrow(input.path, input.table)) loader.append(named(batch, input.shownAs));
}

/** The batch with another `filename` in its rows, where one is given and it has one. */
function named(batch: ColumnBatch, filename: string | undefined): ColumnBatch {
  return filename === undefined || !hasFilename(batch.table) ? batch : batch.withText('filename', filename);
}

function hasFilename(table: string): boolean {
  return tableColumns[table as TableName]?.some((column) => column.name === 'filename') ?? false;
}

/** The tables of captures that the SQL needs; a superset where the text alone cannot tell. */
function tablesIn(connection: DuckDBConnection, sql: string): TableName[] {
  // Names that are put together at run time are found by DuckDB, those of several statements by their text.
  const bound = new Set(connection.getTableNames(sql, false));
  const words = new Set(sql.toLowerCase().match(/[a-z_0-9]+/g) ?? []);
  return tables
    .filter((table) => table.kind !== 'all')
    .filter(
      (table) => bound.has(table.name) || words.has(table.name) || (words.has('sysflow') && table.kind !== 'entity'),
    )
    .map((table) => table.name);
}

/** How many inputs may hold rows of a table. */
function holders(name: string, inputs: readonly QueryInput[], parquet: ReadonlyMap<string, unknown[]>): number {
  const others = inputs.filter(
    (input) =>
      input.kind === 'engine' || (input.kind === 'arrow' && [undefined, name, 'sysflow'].includes(input.table)),
  );
  return others.length + (parquet.get(name)?.length ?? 0) + (parquet.get('sysflow')?.length ?? 0);
}

/** Rows of different inputs may have the same number. */
const inOrder = 'ORDER BY idx, filename';

async function createViews(connection: DuckDBConnection, inputs: readonly QueryInput[]): Promise<void> {
  const paths = new Map<string, ParquetInput[]>();
  for (const input of inputs) {
    if (input.kind !== 'parquet') continue;
    const name =
      (await tableInParquet(connection, input.path)) ?? input.table ?? basename(input.path, extname(input.path));
    paths.set(name, [...(paths.get(name) ?? []), input as ParquetInput]);
  }
  for (const { name, kind, record } of tables) {
    if (kind === 'all') continue;
    const sources = [selectTable(name)];
    sources.push(...selectParquet(name, paths.get(name) ?? []));
    if (kind !== 'entity') {
      // A file of all events and flows gives each table its rows.
      const columns = tableColumns[name].map((column) => quoteIdentifier(column.name)).join(', ');
      const rows = [
        `(${selectTable('sysflow')})`,
        ...selectParquet('sysflow', paths.get('sysflow') ?? []).map((select) => `(${select})`),
      ];
      for (const source of rows) sources.push(`SELECT ${columns} FROM ${source} WHERE type = ${quoteText(record)}`);
    }
    // The rows of one input are in order anyway.
    const order = kind !== 'entity' && holders(name, inputs, paths) > 1 ? ` ${inOrder}` : '';
    await connection.run(`CREATE VIEW ${quoteIdentifier(name)} AS ${sources.join(' UNION ALL BY NAME ')}${order}`);
    paths.delete(name);
  }
  paths.delete('sysflow');
  const columns = tableColumns.sysflow.map((column) => quoteIdentifier(column.name)).join(', ');
  const union = rowTables.map((table) => `SELECT * FROM ${quoteIdentifier(table.name)}`).join(' UNION ALL BY NAME ');
  await connection.run(`CREATE VIEW sysflow AS SELECT ${columns} FROM (${union}) ${inOrder}`);
  // Parquet files of others are tables under their file names.
  for (const [name, list] of paths) {
    await connection.run(
      `CREATE VIEW ${quoteIdentifier(name)} AS SELECT * FROM ${readParquet(list.map((input) => input.path))}`,
    );
  }
}

type ParquetInput = QueryInput & { kind: 'parquet' };

/** Reads the Parquet files of a table; those whose names could be taken for one another each on its own. */
function selectParquet(table: string, inputs: readonly ParquetInput[]): string[] {
  const [alike, distinct]: [ParquetInput[], ParquetInput[]] = [[], []];
  for (const input of inputs) (input.shownAs !== undefined && hasFilename(table) ? alike : distinct).push(input);
  return [
    ...(distinct.length > 0 ? [`SELECT * FROM ${readParquet(distinct.map(({ path }) => path))}`] : []),
    ...alike.map(
      ({ path, shownAs }) =>
        `SELECT COLUMNS(lambda name: name <> 'filename'), ${quoteText(shownAs as string)} AS filename FROM ${readParquet([path])}`,
    ),
  ];
}

function readParquet(paths: readonly string[]): string {
  return `read_parquet([${paths.map((path) => quoteText(escapeGlob(path))).join(', ')}], union_by_name = true)`;
}

/** The table name that `sfkit convert` puts into its Parquet files. */
async function tableInParquet(connection: DuckDBConnection, path: string): Promise<string | undefined> {
  try {
    const result = await connection.runAndReadAll(
      `SELECT decode(value) FROM parquet_kv_metadata(${quoteText(escapeGlob(path))}) WHERE decode(key) = 'sfkit.table'`,
    );
    return result.getRows()[0]?.[0] as string | undefined;
  } catch (error) {
    const reason = (error as Error).message.split('\n', 1)[0];
    throw new SfkitError('INPUT_BAD_FORMAT', `${path}: not a readable Parquet file: ${reason}`, { cause: error });
  }
}

/** DuckDB takes paths as patterns. */
function escapeGlob(path: string): string {
  return path.replace(/[*?[]/g, '[$&]');
}
