import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { selectAttached } from '../../duckdb/database.js';
import { quoteIdentifier, quoteText } from '../../duckdb/sql-text.js';
import { addonCandidates, loadAddon } from '../../engine/addon.js';
import { type TableName, tableColumns, tables } from '../../engine/columns.gen.js';
import type { CollectorOptions } from '../../engine/config.js';
import { isStreamInput, looksLikeCapture } from '../../engine/input-kind.js';
import { openColumns } from '../../engine/session.js';
import type { Summary } from '../../engine/summary.js';
import { isFiltered } from '../capture-tables/condition.js';
import type { QueryInput } from '../inputs.js';
import { digest } from './content.js';
import { makeDatabase } from './make.js';
import type { CaptureCache, Provided, Wanted } from './store.js';
import type { CachePart } from './types.js';

/** Counts changes of what entries hold for the same versions and settings. */
const entryFormat = 1;

/** Databases that one run attaches; views over more would take long to bind. */
const maxAttached = 64;

/** An attached part of an input. */
export interface Attached {
  summary: Summary;
  /** SELECT of one of its tables with all columns. */
  select(table: TableName): string;
}

/** Attaches cached parts of inputs to one database. */
export class CachedInputs {
  readonly #connection: DuckDBConnection;
  readonly #cache: CaptureCache;
  readonly #signal: AbortSignal | undefined;
  #count = 0;

  constructor(connection: DuckDBConnection, cache: CaptureCache, signal: AbortSignal | undefined) {
    this.#connection = connection;
    this.#cache = cache;
    this.#signal = signal;
  }

  /**
   * Undefined if the cache cannot be used for this input; it is then to be read as without a cache.
   */
  async attach(
    input: QueryInput,
    part: CachePart,
    collector: CollectorOptions,
  ): Promise<Attached | undefined> {
    const { path, shownAs } = input;
    if (this.#count >= maxAttached || isStreamInput(path)) return undefined;
    // These tables are made for the columns and conditions of a statement; `events` takes several
    // times its capture.
    if (isFiltered(part)) return undefined;
    const wanted = this.#wanted(path, part, collector);
    const open = async () => {
      const provided = await this.#cache.provide(path, wanted, this.#signal);
      return provided && { provided, name: await this.#open(provided) };
    };
    // A damaged database is made again, once.
    let opened = await open();
    if (opened !== undefined && opened.name === undefined) opened = await open();
    if (opened?.name === undefined) return undefined;
    const { provided, name } = opened;
    const filename = shownAs ?? (looksLikeCapture(path) ? basename(path) : undefined);
    const text = (column: string) =>
      column === 'filename' && filename !== undefined
        ? quoteText(filename)
        : quoteIdentifier(column);
    return { summary: provided.summary, select: (table) => selectAttached(name, table, text) };
  }

  async #open(provided: Provided): Promise<string | undefined> {
    const name = `sfkit_cache_${this.#count}`;
    try {
      await this.#connection.run(
        `ATTACH ${quoteText(provided.path)} AS ${quoteIdentifier(name)} (READ_ONLY)`,
      );
    } catch {
      this.#cache.remove(provided);
      return undefined;
    } finally {
      provided.release();
    }
    this.#count += 1;
    return name;
  }

  #wanted(path: string, part: CachePart, collector: CollectorOptions): Wanted {
    const settings: CollectorOptions = part === 'records' ? collector : {};
    const made: readonly TableName[] =
      part === 'records'
        ? tables.filter(({ kind }) => kind !== 'all').map(({ name }) => name)
        : [part];
    return {
      part,
      key: keyOf(part, made, settings),
      make: (database, scratch) =>
        makeDatabase(
          database,
          scratch,
          made,
          openColumns({
            ...settings,
            input: path,
            filename: '',
            tables: made,
            signal: this.#signal,
          }),
        ),
    };
  }
}

/** Everything besides the input that decides what an entry holds. */
function keyOf(part: CachePart, made: readonly TableName[], settings: CollectorOptions): string {
  // Every setting counts, so that a new one does too; rows get the file's name when they are read.
  const { filename: _, ...others } = settings;
  const options = Object.entries(others)
    .filter(([, value]) => value !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  const columns = made.map((table) => [table, tableColumns[table]]);
  return digest(JSON.stringify([entryFormat, part, columns, options, engine()])).slice(0, 32);
}

/** The version of the engine, and its file: a clone can build different engines of one version. */
function engine(): unknown[] {
  const files = addonCandidates().map((path) => {
    const info = statSync(path, { throwIfNoEntry: false });
    return info === undefined ? null : [info.size, info.mtimeMs];
  });
  return [loadAddon().version, files];
}
