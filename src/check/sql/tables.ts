import type { DuckDBConnection } from '@duckdb/node-api';
import { type TableName, tables } from '../../engine/columns.gen.js';
import { emptySummary } from '../../engine/empty-summary.js';
import { SfkitError } from '../../engine/errors.js';
import { sumOfReasons } from '../../engine/reasons.js';
import type { Summary } from '../../engine/session.js';
import type { Dataset } from '../../query/dataset.js';
import type { ReadingOptions } from '../language.js';

/** The tables of events and flows. */
export const rowTables: readonly TableName[] = tables
  .filter(({ kind }) => kind === 'event' || kind === 'flow')
  .map(({ name }) => name);

/** DuckDB's memory limit; larger data goes to a temporary file. */
const memoryLimit = '2GB';

/**
 * The input of `check` as tables: a capture, a SysFlow file, or tables that `sfkit query` accepts.
 * The first open() reads it once for all languages, and reads only the tables that they requested
 * with want().
 */
export class CheckTables {
  readonly #input: string;
  readonly #wanted = new Set<TableName>();
  readonly #made = new Map<string, Promise<unknown>>();
  #dataset: Promise<Dataset> | undefined;
  #isClosed = false;

  constructor(
    input: string,
    readonly options: ReadingOptions = {},
  ) {
    this.#input = input;
  }

  /** Requests tables. Must be called before open(). */
  want(tables: Iterable<TableName>): void {
    for (const table of tables) {
      if (this.#dataset !== undefined && !this.#wanted.has(table))
        throw new Error('the input is already open');
      this.#wanted.add(table);
    }
  }

  async open(): Promise<DuckDBConnection> {
    const { connection } = await this.#open();
    return connection;
  }

  /**
   * Calls `make` for the first caller of a name, for example to create a lookup table, and shares
   * the result.
   */
  once<Made>(name: string, make: () => Promise<Made>): Promise<Made> {
    const made = this.#made.get(name) ?? make();
    this.#made.set(name, made);
    return made as Promise<Made>;
  }

  /** The engine's summary of the input; for tables, the number of rows and the time range. */
  async summary(): Promise<Summary> {
    const { summaries, connection } = await this.#open();
    return summaries.length === 0
      ? rowSummary(connection, this.#wanted)
      : mergedSummary(summaries.map(({ summary }) => summary));
  }

  close(): void {
    this.#isClosed = true;
    this.#dataset?.then(
      (dataset) => dataset.close(),
      () => {},
    );
  }

  #open(): Promise<Dataset> {
    if (this.#isClosed)
      throw new SfkitError('INVALID_ARGUMENT', `${this.#input}: the check is over`);
    this.#dataset ??= openInput(this.#input, [...this.#wanted], this.options);
    return this.#dataset;
  }
}

async function openInput(
  input: string,
  wanted: readonly TableName[],
  { signal, maxMemory }: ReadingOptions,
): Promise<Dataset> {
  // Loaded on demand: loading DuckDB is slow, and rules of other languages do not need it.
  const { openDataset } = await import('../../query/dataset.js');
  return openDataset(
    [input],
    `SELECT 1 FROM ${wanted.join(', ')}`,
    { maxMemory },
    { isolated: true, memoryLimit, signal },
  );
}

async function rowSummary(
  connection: DuckDBConnection,
  wanted: ReadonlySet<TableName>,
): Promise<Summary> {
  const times = rowTables
    .filter((table) => wanted.has(table))
    .map((table) => `SELECT ts_uts FROM ${table}`);
  if (times.length === 0) return noSummary;
  const result = await connection.runAndReadAll(
    `SELECT count(*), min(ts_uts) FILTER (ts_uts > 0), max(ts_uts) FROM (${times.join(' UNION ALL ')})`,
  );
  const [events, first, last] = result.getRows()[0] as [bigint, bigint | null, bigint | null];
  return { ...noSummary, events, firstTime: first ?? 0n, lastTime: last ?? 0n };
}

const noSummary: Summary = { ...emptySummary, format: 'tables' };

/** Combined summary of several files that form one input. */
function mergedSummary(summaries: readonly Summary[]): Summary {
  return summaries.reduce(united);
}

function united(one: Summary, other: Summary): Summary {
  const times = [one.firstTime, other.firstTime, one.lastTime, other.lastTime]
    .filter((time) => time > 0n)
    .sort(inOrder);
  return {
    ...one,
    events: one.events + other.events,
    bytes: one.bytes + other.bytes,
    records: sumOf(one.records, other.records),
    shown: one.shown + other.shown,
    skipped: sumOfReasons([...one.skipped, ...other.skipped]),
    notes: sumOfReasons([...one.notes, ...other.notes]),
    damage: [...one.damage, ...other.damage],
    firstTime: times[0] ?? 0n,
    lastTime: times.at(-1) ?? 0n,
  };
}

function inOrder(one: bigint, other: bigint): number {
  return Number(one - other);
}

function sumOf(one: Record<string, bigint>, other: Record<string, bigint>): Record<string, bigint> {
  const sum = { ...one };
  for (const [name, count] of Object.entries(other)) sum[name] = (sum[name] ?? 0n) + count;
  return sum;
}
