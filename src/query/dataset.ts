import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { openDatabase, sealedConnection, selectTable, TableLoader } from '../duckdb/database.js';
import { errorsWithParts } from '../duckdb/sql-error.js';
import { quoteIdentifier, quoteText } from '../duckdb/sql-text.js';
import { createViewsSql } from '../duckdb/views.js';
import type { ColumnBatch } from '../engine/batch.js';
import {
  captureTables,
  type TableName,
  tableColumns,
  tables,
  views,
} from '../engine/columns.gen.js';
import type { CollectorOptions } from '../engine/config.js';
import { isSystemError, SfkitError, unwritable } from '../engine/errors.js';
import { inputName, kindOf } from '../engine/input-kind.js';
import { openColumns, type Summary } from '../engine/session.js';
import { privateFile } from '../output/mode.js';
import { scratchDirectory } from '../output/pending.js';
import { type Attached, CachedInputs } from './cache/attach.js';
import type { CaptureCache } from './cache/store.js';
import {
  answerable,
  createCaptureView,
  joinSummaries,
  loadCaptureTables,
} from './capture-tables/load.js';
import { findNeeds } from './capture-tables/needs.js';
import { TablesOnDemand } from './capture-tables/on-demand.js';
import { type QueryInput, resolveInputs } from './inputs.js';
import { allMacros, createMacros, macrosIn, withDefinitions } from './macros/macros.js';
import { rejectImpossibleValues } from './parquet-values.js';
import type { ParameterValues } from './saved/parameters.js';
import { describe, extraColumns, guessTable, type Source, selectSource } from './sources.js';
import { checkStatements } from './statements.js';

/** Inputs open as tables of one database. */
export interface Dataset {
  connection: DuckDBConnection;
  /** The engine's summary of each capture and SysFlow file. */
  summaries: { path: string; summary: Summary }[];
  /**
   * For another statement: makes the capture tables that it needs. Only with the option
   * `keepsOpen`.
   */
  onDemand?: TablesOnDemand;
  close(): void;
}

const rowTables = tables.filter((table) => table.kind === 'event' || table.kind === 'flow');
const recordTables = tables.filter(({ kind }) => kind !== 'all').map(({ name }) => name);

export interface DatasetOptions {
  /** SQL can read the inputs and no other file. */
  isolated?: boolean;
  /**
   * SQL reaches nothing but the tables of the inputs, and cannot change the limits of memory and
   * threads.
   */
  sandbox?: boolean;
  /**
   * Memory limit of DuckDB; beyond it, data goes to a file. Default: DuckDB's, most of the
   * machine's memory.
   */
  memoryLimit?: string | undefined;
  /**
   * Default: 1, which keeps the order of groups and the last digits of sums the same in all runs.
   */
  threads?: number | undefined;
  /** Keeps what captures and SysFlow files become for later runs. Default: each run reads them. */
  cache?: CaptureCache | undefined;
  /** Values for the parameters of the SQL. */
  parameters?: ParameterValues;
  /** More statements follow, which may name other tables: every table of records is loaded. */
  keepsOpen?: boolean;
  /** No other statement follows: views that the SQL does not read need not exist. */
  isOnly?: boolean;
  /** Until close(): aborting it ends reading and interrupts statements. */
  signal?: AbortSignal | undefined;
}

/**
 * Opens paths as tables, with the rows of several inputs united. Parquet is read in place. Other
 * inputs are loaded, but only the tables that `sql` mentions.
 */
export async function openDataset(
  paths: readonly string[],
  sql: string,
  collector: CollectorOptions = {},
  options: DatasetOptions = {},
): Promise<Dataset> {
  const {
    isolated = false,
    sandbox = false,
    parameters = {},
    keepsOpen = false,
    isOnly = false,
    signal,
  } = options;
  const inputs = resolveInputs(paths);
  const table = inputs.find(({ kind }) => kind !== 'engine');
  if (table !== undefined && collector.filter !== undefined) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${table.path}: a filter is about the events of a capture, and this is a table; use WHERE`,
    );
  }
  // It opens on another thread meanwhile; checkStatements() reports its errors.
  sealedConnection().catch(() => {});
  const database = await openPassingDatabase(options);
  const { connection, scratch } = database;
  const interrupt = () => connection.interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });
  const close = () => {
    signal?.removeEventListener('abort', interrupt);
    database.close();
  };
  const summaries: Dataset['summaries'] = [];
  const loader = new TableLoader(connection, scratch);
  try {
    await connection.run(errorsWithParts);
    await checkStatements(connection, sql, { sandbox });
    await connection.run('RESET errors_as_json');
    const macros = keepsOpen ? allMacros() : macrosIn(sql);
    const readable = keepsOpen ? sql : withDefinitions(sql, macros);
    // Finding names opens the files that some statements name.
    const wanted = keepsOpen
      ? recordTables
      : sandbox
        ? tablesIn(await sealedConnection(), readable)
        : tablesIn(connection, readable);
    const shown = isOnly ? viewsIn(await sealedConnection(), readable) : undefined;
    const sources = await openSources(connection, inputs, wanted);
    if (sandbox) await copySources(connection, sources, wanted);
    const cached = options.cache && new CachedInputs(connection, options.cache, signal);
    const captures = wanted.length === 0 ? [] : inputs.filter(({ kind }) => kind === 'engine');
    const attached = new Map<QueryInput, Attached>();
    for (const input of captures) {
      const found = await cached?.attach(input, 'records', collector);
      if (found !== undefined) attached.set(input, found);
    }
    const loaded = captures.length - attached.size;
    // Views over empty tables would only cost time.
    if (loaded > 0 || attached.size === 0) await loader.create(recordTables);
    await createViews(connection, sources, [...attached.values()], loaded, shown);
    // If a file of that name exists, the user means the file.
    const needs = answerable(
      (await findNeeds(readable, parameters)).filter(({ table }) => !sources.has(table)),
      inputs,
    );
    for (const input of captures) {
      const summary =
        attached.get(input)?.summary ??
        (await loadCapture(loader, input, wanted, { ...collector, signal }));
      summaries.push({ path: input.path, summary });
    }
    const selects = new Map<TableName, string[]>();
    if (needs.length > 0) {
      await loader.create(needs.map(({ table }) => table));
      const { found, attachedTables } = await loadCaptureTables(
        loader,
        inputs,
        needs,
        { ...collector, signal },
        { readings: wanted.length > 0 ? 1 : 0, cached },
      );
      for (const [table, list] of attachedTables) selects.set(table, list);
      joinSummaries(summaries, found);
    }
    await loader.finish();
    for (const need of needs) await createCaptureView(connection, need, selects.get(need.table));
    let onDemand: TablesOnDemand | undefined;
    if (keepsOpen) {
      onDemand = new TablesOnDemand(connection, scratch, inputs, collector);
      await onDemand.declare(
        captureTables.map(({ name }) => name).filter((name) => !sources.has(name)),
      );
    }
    await createMacros(connection, macros);
    if (sandbox) await connection.run('SET enable_external_access = false');
    else if (isolated) await isolate(connection, inputs);
    await connection.run(errorsWithParts);
    await connection.run('SET lock_configuration = true');
    return { connection, summaries, ...(onDemand !== undefined && { onDemand }), close };
  } catch (error) {
    loader.close();
    close();
    // Errors of inputs are SfkitErrors; other system errors come from temporary files.
    throw isSystemError(error) ? unwritable(tmpdir(), error) : error;
  }
}

/**
 * Lets SQL read only the inputs that are tables. DuckDB compares the names that its functions get.
 */
async function isolate(connection: DuckDBConnection, inputs: readonly QueryInput[]): Promise<void> {
  const paths = inputs
    .filter(({ kind }) => kind === 'parquet')
    .flatMap(({ path }) => [path, escapeGlob(path)]);
  await connection.run(`SET allowed_paths = [${paths.map(quoteText).join(', ')}]`);
  await connection.run('SET enable_external_access = false');
}

/** Replaces views of files by tables with their rows: in a sandbox SQL reads no file. */
async function copySources(
  connection: DuckDBConnection,
  sources: Sources,
  wanted: readonly TableName[],
): Promise<void> {
  await connection.run('CREATE SCHEMA sfkit_copies');
  let count = 0;
  for (const [name, list] of sources) {
    if (isTableName(name) && !isWanted(name, wanted)) continue;
    for (const source of list.filter(({ isFile }) => isFile)) {
      const copy = `sfkit_copies.${quoteIdentifier(`source_${count++}`)}`;
      await connection.run(`CREATE TABLE ${copy} AS SELECT * FROM ${source.from}`);
      source.from = copy;
    }
  }
}

/** Opens a database in memory that leaves no files. */
export async function openPassingDatabase(
  options: Pick<DatasetOptions, 'memoryLimit' | 'threads' | 'sandbox'> = {},
): Promise<
  Pick<Dataset, 'connection' | 'close'> & { scratch: string; connect(): Promise<DuckDBConnection> }
> {
  const scratch = scratchDirectory(tmpdir(), tmpdir());
  // A file in place of the extension directory: no extension can be found or installed.
  const extensions = join(scratch.path, 'extensions');
  writeFileSync(extensions, '', { mode: privateFile });
  const { memoryLimit, threads = 1, sandbox = false } = options;
  const database = await openDatabase({
    temporary: join(scratch.path, 'spill'),
    extensions,
    threads,
    fixesResources: sandbox,
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
  });
  return {
    ...database,
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
  collector: CollectorOptions & { signal: AbortSignal | undefined },
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

/** Replaces `filename` in the batch's rows, if the table has that column. */
function named(batch: ColumnBatch, filename: string | undefined): ColumnBatch {
  return filename === undefined || !hasFilename(batch.table)
    ? batch
    : batch.withText('filename', filename);
}

function hasFilename(table: string): boolean {
  return tableColumns[table as TableName]?.some((column) => column.name === 'filename') ?? false;
}

/** The tables of captures that the SQL needs; a superset if the text is not conclusive. */
function tablesIn(connection: DuckDBConnection, sql: string): TableName[] {
  // DuckDB finds names that are composed at run time; the text shows the names of several
  // statements.
  const bound = new Set(connection.getTableNames(sql, false));
  const words = new Set(sql.toLowerCase().match(/[a-z_0-9]+/g) ?? []);
  const isNamed = (name: string) => bound.has(name) || words.has(name);
  const read = new Set(views.filter(({ name }) => isNamed(name)).flatMap(({ reads }) => reads));
  return tables
    .filter((table) => table.kind !== 'all')
    .filter(
      ({ name, kind }) =>
        isNamed(name) || read.has(name) || (words.has('sysflow') && kind !== 'entity'),
    )
    .map((table) => table.name);
}

/**
 * The views that the SQL reads; undefined if it may ask which views there are, or names something
 * unknown, whose error suggests others. `sealed`: this must not open files that the SQL names.
 */
function viewsIn(sealed: DuckDBConnection, sql: string): ReadonlySet<string> | undefined {
  if (asksForCatalog.test(sql)) return undefined;
  const reads = new Map<string, readonly string[]>();
  for (const { name } of [...tables, ...captureTables]) reads.set(name, []);
  for (const { name, reads: read } of views) reads.set(name, read);
  reads.set('connections', ['connection_flows']);
  // createViews() writes the tables of this view into it.
  reads.set('sysflow', []);
  const found = new Set<string>();
  const add = (name: string): boolean => {
    found.add(name);
    return reads.get(name)?.every(add) ?? false;
  };
  try {
    // DuckDB finds no names in a statement with parameters.
    for (const word of sql.toLowerCase().match(/[a-z_0-9]+/g) ?? []) if (reads.has(word)) add(word);
    const named = [...sealed.getTableNames(sql, false)];
    const isComplete = named.every((name) => add(name.toLowerCase()));
    return isComplete && found.size > 0 ? found : undefined;
  } catch {
    return undefined;
  }
}

const asksForCatalog =
  /\b(information_schema|duckdb_|pg_|sqlite_|show|describe|summarize|pragma)|^\s*desc\b|;\s*\S/i;

/** The tables in files, by name; a name that is not one of our tables is a file name. */
export type Sources = Map<string, FileSource[]>;

interface FileSource extends Source {
  /** Number of files that it reads. */
  files: number;
  /** SQL reads the files themselves, not a table with their rows. */
  isFile: boolean;
}

/**
 * Makes tables in files readable in SQL, and loads the rows of wanted tables only. Other files
 * become tables under their file names, or are rejected if `isStrict`.
 */
export async function openSources(
  connection: DuckDBConnection,
  inputs: readonly QueryInput[],
  wanted: readonly TableName[],
  isStrict = false,
): Promise<Sources> {
  const sources: Sources = new Map();
  // SQL ignores the case of ASCII letters in names.
  const spelled = new Map<string, string>();
  const add = (name: string, source: FileSource) => {
    const key = name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    const first = spelled.get(key) ?? name;
    spelled.set(key, first);
    sources.set(first, [...(sources.get(first) ?? []), source]);
  };
  for (const [index, input] of inputs.entries()) {
    if (input.kind !== 'arrow') continue;
    const { loadArrow } = await import('./arrow-input.js');
    const loaded = await loadArrow(connection, input.path, `arrow_${index}`, input.table, (table) =>
      isWanted(table, wanted),
    );
    const name = loaded.table ?? stemOf(input.path);
    if (isStrict && loaded.table === undefined) throw unknownTable(input.path);
    add(name, {
      ...(await describe(connection, loaded.from)),
      ...shownIn(name, input),
      files: 1,
      isFile: false,
    });
  }
  // Files with the same columns are read together: a view over a thousand files would be slow to
  // bind.
  const alike = new Map<string, { name: string; paths: string[]; source: Source }>();
  for (const input of inputs) {
    if (input.kind !== 'parquet') continue;
    const known = (await tableInParquet(connection, input.path)) ?? input.table;
    const described = await describe(connection, readParquet([input.path]));
    await rejectImpossibleValues(connection, input.path, described.from);
    const name =
      known ??
      (isStrict ? guessTable(new Set(described.columns.keys())) : undefined) ??
      stemOf(input.path);
    if (isStrict && !isTableName(name)) throw unknownTable(input.path);
    const source = { ...described, ...shownIn(name, input) };
    // Rows without numbers are numbered per file.
    const isAlone = !source.columns.has('idx') && isTableName(name);
    const key = isAlone
      ? input.path
      : JSON.stringify([name, source.shownAs, [...source.columns.values()]]);
    const group = alike.get(key) ?? { name, paths: [], source };
    group.paths.push(input.path);
    alike.set(key, group);
  }
  for (const { name, paths, source } of alike.values()) {
    add(name, { ...source, from: readParquet(paths), files: paths.length, isFile: true });
  }
  return sources;
}

function isWanted(table: TableName, wanted: readonly TableName[]): boolean {
  return table === 'sysflow'
    ? rowTables.some(({ name }) => wanted.includes(name))
    : wanted.includes(table);
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}

function unknownTable(path: string): SfkitError {
  return new SfkitError(
    'INPUT_NOT_SUPPORTED',
    `${path}: its columns match no table of sfkit; name the file after its table, such as network_flow${extname(path)}`,
  );
}

function shownIn(table: string, { shownAs }: QueryInput): Pick<Source, 'shownAs'> {
  return hasFilename(table) ? { shownAs } : {};
}

function isTableName(name: string): name is TableName {
  return tables.some((table) => table.name === name);
}

/** Rows of different inputs can have the same number. */
const inOrder = 'ORDER BY idx, filename';

/**
 * `loaded`: number of inputs with rows in the loaded tables. `shown`: the views that are needed;
 * undefined for all. DuckDB binds each view when it is made, which takes milliseconds.
 */
async function createViews(
  connection: DuckDBConnection,
  sources: Sources,
  attached: readonly Attached[],
  loaded: number,
  shown: ReadonlySet<string> | undefined,
): Promise<void> {
  const isShown = (name: string) => shown === undefined || shown.has(name);
  const everything = sources.get('sysflow') ?? [];
  const extras = new Map<string, string>();
  const rowsOf = new Map<TableName, string>();
  for (const { name, kind, record } of tables) {
    const isRead = isShown(name) || (kind !== 'entity' && isShown('sysflow'));
    if (kind === 'all' || !isRead) continue;
    const own = sources.get(name) ?? [];
    const selects = [
      ...(loaded > 0 || attached.length === 0 ? [selectTable(name)] : []),
      ...attached.map(({ select }) => select(name)),
      ...own.map((source) => selectSource(name, source)),
    ];
    if (kind !== 'entity') {
      const columns = tableColumns[name].map((column) => quoteIdentifier(column.name));
      const ofType = `WHERE type = ${quoteText(record)}`;
      // A file of all events and flows provides rows for each table.
      for (const source of everything) {
        const more = extraColumns('sysflow', source).map(quoteIdentifier);
        selects.push(
          `SELECT ${[...columns, ...more].join(', ')} FROM (${selectSource('sysflow', source)}) ${ofType}`,
        );
      }
      for (const source of own)
        for (const extra of extraColumns(name, source)) extras.set(extra.toLowerCase(), extra);
    }
    const holders = [...own, ...everything].reduce(
      (count, { files }) => count + files,
      loaded + attached.length,
    );
    // The rows of a single input are already in order.
    const order = kind !== 'entity' && holders > 1 ? ` ${inOrder}` : '';
    const rows = `${selects.join(' UNION ALL BY NAME ')}${order}`;
    rowsOf.set(name, isShown(name) ? `SELECT * FROM ${quoteIdentifier(name)}` : `(${rows})`);
    if (isShown(name)) await connection.run(`CREATE VIEW ${quoteIdentifier(name)} AS ${rows}`);
  }
  const known = new Set(tableColumns.sysflow.map(({ name }) => name));
  for (const source of everything) {
    for (const extra of extraColumns('sysflow', source)) extras.set(extra.toLowerCase(), extra);
  }
  const columns = [
    ...known,
    ...[...extras].filter(([key]) => !known.has(key)).map(([, name]) => name),
  ];
  const union = rowTables.map(({ name }) => rowsOf.get(name)).join(' UNION ALL BY NAME ');
  if (isShown('sysflow'))
    await connection.run(
      `CREATE VIEW sysflow AS SELECT ${columns.map(quoteIdentifier).join(', ')} FROM (${union}) ${inOrder}`,
    );
  const isTaken = (name: string) =>
    !isShown(name) || [...sources.keys()].some((key) => key.toLowerCase() === name);
  for (const sql of createViewsSql(isTaken)) await connection.run(sql);
  // Other Parquet files are tables under their file names.
  for (const [name, list] of sources) {
    if (isTableName(name)) continue;
    const select = list.map(({ from }) => `SELECT * FROM ${from}`).join(' UNION ALL BY NAME ');
    await connection.run(`CREATE VIEW ${quoteIdentifier(name)} AS ${select}`);
  }
}

function readParquet(paths: readonly string[]): string {
  return `read_parquet([${paths.map((path) => quoteText(escapeGlob(path))).join(', ')}], union_by_name = true)`;
}

/** The table name that `sfkit convert` puts into its Parquet files. */
async function tableInParquet(
  connection: DuckDBConnection,
  path: string,
): Promise<string | undefined> {
  try {
    const result = await connection.runAndReadAll(
      `SELECT decode(value) FROM parquet_kv_metadata(${quoteText(escapeGlob(path))}) WHERE decode(key) = 'sfkit.table'`,
    );
    return result.getRows()[0]?.[0] as string | undefined;
  } catch (error) {
    const reason = (error as Error).message.split('\n', 1)[0];
    throw new SfkitError('INPUT_BAD_FORMAT', `${path}: not a readable Parquet file: ${reason}`, {
      cause: error,
    });
  }
}

/** Escapes a path, which DuckDB would read as a pattern. */
function escapeGlob(path: string): string {
  return path.replace(/[*?[]/g, '[$&]');
}
