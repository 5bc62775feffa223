import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { DuckDBConnection } from '@duckdb/node-api';
import { physicalColumns } from '../duckdb/database.js';
import { quoteIdentifier, quoteText } from '../duckdb/sql-text.js';
import { type TableName, tables } from '../engine/columns.gen.js';
import { emptySummary } from '../engine/empty-summary.js';
import { isSystemError, SfkitError, unwritable } from '../engine/errors.js';
import type { ReasonId } from '../engine/reasons.gen.js';
import { reasonCount } from '../engine/reasons.js';
import type { Summary } from '../engine/session.js';
import type { ReasonCount } from '../engine/summary.js';
import { openPassingDatabase, openSources, type Sources } from '../query/dataset.js';
import type { QueryInput } from '../query/inputs.js';
import { extraColumns, missingColumns, type Source, selectSource } from '../query/sources.js';
import { MergedRows, RowCursor } from './table-rows.js';

/** Memory limit of DuckDB; larger sorts use the disk. */
const memoryLimit = '512MB';

/** Record names in summaries, by row type or entity table. */
export const recordNames: Readonly<Record<string, string>> = {
  PE: 'ProcessEvent',
  FE: 'FileEvent',
  NE: 'NetworkEvent',
  NF: 'NetworkFlow',
  FF: 'FileFlow',
  PF: 'ProcessFlow',
  KE: 'K8sEvent',
  process: 'Process',
  file: 'File',
  container: 'Container',
  pod: 'Pod',
};

/** A computed column: a hash of other columns, for tables that have them. */
export interface RowPrint {
  name: string;
  columns: readonly string[];
}

/** Tables in files, open for conversion. */
export class TableInput {
  readonly #sources: Sources;
  readonly #path: string;
  readonly #connection: DuckDBConnection;
  readonly #connect: () => Promise<DuckDBConnection>;
  readonly #close: () => void;
  readonly #format: string;
  readonly #bytes: bigint;
  readonly #records: Record<string, bigint> = {};
  readonly #skipped: ReasonCount[] = [];
  #events = 0n;
  #firstTime = 0n;
  #lastTime = 0n;

  private constructor(
    path: string,
    files: readonly QueryInput[],
    sources: Sources,
    database: Awaited<ReturnType<typeof openPassingDatabase>>,
  ) {
    this.#path = path;
    this.#sources = sources;
    this.#connection = database.connection;
    this.#connect = database.connect;
    this.#close = database.close;
    this.#format = files[0]?.kind ?? '';
    this.#bytes = files.reduce((sum, file) => sum + BigInt(statSync(file.path).size), 0n);
    for (const name of Object.values(recordNames)) this.#records[name] = 0n;
  }

  /** `path` names the input in messages; `files` are its parts. */
  static async open(path: string, files: readonly QueryInput[]): Promise<TableInput> {
    const database = await openPassingDatabase({ memoryLimit });
    try {
      const all = tables.map(({ name }) => name);
      const sources = await openSources(database.connection, files, all, true);
      return new TableInput(path, files, sources, database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  get tableNames(): string[] {
    return [...this.#sources.keys()];
  }

  /** Its table, if it has exactly one. */
  get onlyTable(): TableName | undefined {
    return this.#sources.size === 1 ? (this.tableNames[0] as TableName) : undefined;
  }

  has(table: TableName): boolean {
    return this.#sources.has(table);
  }

  /** Whether the input can contain rows of the table. */
  covers(table: TableName): boolean {
    const kind = tables.find(({ name }) => name === table)?.kind;
    if (kind === 'all') return tables.some(({ name, kind }) => kind !== 'entity' && this.has(name));
    return this.has(table) || (kind !== 'entity' && this.has('sysflow'));
  }

  /** The rows of a table in order. Rows of `sysflow` have the columns of their own tables. */
  async rows(table: TableName, prints: readonly RowPrint[] = []): Promise<MergedRows> {
    const kind = tables.find(({ name }) => name === table)?.kind;
    const wanted =
      kind === 'all'
        ? tables.filter((spec) => spec.kind !== 'entity').map(({ name }) => name)
        : [table];
    const selects: { sql: string; isNumbered: boolean }[] = [];
    for (const name of wanted) {
      for (const source of this.#sources.get(name) ?? []) {
        selects.push({ sql: select(name, source, prints), isNumbered: kind !== 'entity' });
      }
    }
    const record = tables.find(({ name }) => name === table)?.record ?? '';
    if (kind === 'event' || kind === 'flow') {
      for (const source of this.#sources.get('sysflow') ?? []) {
        const rows = `${select('sysflow', source, prints)} WHERE type = ${quoteText(record)}`;
        selects.push({ sql: rows, isNumbered: true });
      }
    }
    const cursors: RowCursor[] = [];
    for (const { sql, isNumbered } of selects) {
      const isOrdered = !isNumbered || (await this.#isOrdered(sql));
      const ordered = isOrdered ? sql : `SELECT * FROM (${sql}) ORDER BY idx`;
      cursors.push(await RowCursor.open(await this.#connect(), ordered));
    }
    return new MergedRows(cursors);
  }

  /** Counts a row for the summary. */
  count(table: TableName, cursor: RowCursor): void {
    const kind = tables.find(({ name }) => name === table)?.kind;
    this.#events += 1n;
    const name = recordNames[kind === 'entity' ? table : cursor.text('type')];
    if (name !== undefined) this.#records[name] = (this.#records[name] ?? 0n) + 1n;
    const time = cursor.get('ts_uts') as bigint | null;
    if (kind === 'entity' || time === null || time <= 0n) return;
    if (this.#firstTime === 0n || time < this.#firstTime) this.#firstTime = time;
    if (time > this.#lastTime) this.#lastTime = time;
  }

  /** Counts data that is left out. `detail` follows the text of the reason in brackets. */
  skip(id: ReasonId, count = 1n, detail?: string): void {
    const same = this.#skipped.find((one) => one.id === id);
    if (same === undefined) this.#skipped.push(reasonCount(id, count, detail));
    else same.count += count;
  }

  /** Counts tables and columns that the input lacks or has in addition. */
  compareColumns(wanted: readonly TableName[]): void {
    const absent = wanted.filter((table) => !this.covers(table));
    const list = (names: Iterable<string>) => shortList([...new Set(names)].sort());
    if (absent.length > 0) {
      this.skip('missing-tables', BigInt(absent.length), list(absent));
    }
    const [missing, extra]: [Set<string>, Set<string>] = [new Set(), new Set()];
    for (const [name, sources] of this.#sources) {
      const table = name as TableName;
      for (const source of sources) {
        for (const column of missingColumns(table, source)) missing.add(column);
        for (const column of extraColumns(table, source)) extra.add(column);
      }
    }
    if (missing.size > 0) {
      this.skip('missing-columns', BigInt(missing.size), list(missing));
    }
    if (extra.size > 0) {
      this.skip('unknown-columns', BigInt(extra.size), list(extra));
    }
  }

  summary(): Summary {
    return {
      ...emptySummary,
      format: this.#format,
      events: this.#events,
      bytes: this.#bytes,
      records: this.#records,
      skipped: this.#skipped.map((one) => ({ ...one })),
      firstTime: this.#firstTime,
      lastTime: this.#lastTime,
    };
  }

  /** Converts a read error to one line that names the input. */
  problem(error: unknown): unknown {
    if (error instanceof SfkitError) return error;
    if (isSystemError(error)) return unwritable(tmpdir(), error);
    const reason = (error as Error).message.split('\n', 1)[0];
    return new SfkitError('INPUT_BAD_FORMAT', `${this.#path}: ${reason}`, { cause: error });
  }

  close(): void {
    this.#close();
  }

  async #isOrdered(sql: string): Promise<boolean> {
    const result = await this.#connection.runAndReadAll(
      `SELECT coalesce(bool_and(idx >= before), true) FROM (SELECT idx, lag(idx) OVER () AS before FROM (${sql}))`,
    );
    return result.getRows()[0]?.[0] === true;
  }
}

function select(table: TableName, source: Source, prints: readonly RowPrint[]): string {
  const names = physicalColumns(table).map(({ name }) => name);
  const columns = [
    ...names.map(quoteIdentifier),
    ...prints
      .filter((print) => print.columns.every((column) => names.includes(column)))
      .map((print) => `hash(${print.columns.join(', ')}) AS ${print.name}`),
  ];
  return `SELECT ${columns.join(', ')} FROM (${selectSource(table, source)})`;
}

const maxNames = 8;

function shortList(names: readonly string[]): string {
  const more = names.length > maxNames ? `, ${names.length - maxNames} more` : '';
  return `${names.slice(0, maxNames).join(', ')}${more}`;
}
