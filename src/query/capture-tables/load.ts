import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { selectTable, type TableLoader } from '../../duckdb/database.js';
import { quoteIdentifier } from '../../duckdb/sql-text.js';
import type { TableName } from '../../engine/columns.gen.js';
import { type CollectorOptions, filterText } from '../../engine/config.js';
import { SfkitError } from '../../engine/errors.js';
import { inputName, isStreamInput, looksLikeCapture } from '../../engine/input-kind.js';
import { openColumns, type Summary } from '../../engine/session.js';
import type { CachedInputs } from '../cache/attach.js';
import type { QueryInput } from '../inputs.js';
import { isFiltered } from './condition.js';
import type { TableNeeds } from './needs.js';

// Tables that only captures have. A statement that names one makes it, with only the columns and rows that it needs.

/** The inputs that may be captures. */
function capturesAmong(inputs: readonly QueryInput[]): QueryInput[] {
  return inputs.filter(({ kind, path }) => kind === 'engine' && (isStreamInput(path) || looksLikeCapture(path)));
}

/** The needs that the inputs can meet; throws if one certainly cannot be met. */
export function answerable(needs: readonly TableNeeds[], inputs: readonly QueryInput[]): readonly TableNeeds[] {
  if (capturesAmong(inputs).length > 0) return needs;
  const refused = needs.find(({ isCertain }) => isCertain);
  if (refused === undefined) return [];
  throw new SfkitError(
    'SQL_ERROR',
    `${inputs[0]?.path}: no table ${refused.table}: this is a file of records, and only captures contain events; query the capture that it was made from`,
  );
}

export interface LoadOptions {
  /** How often the inputs are read for other tables. */
  readings: number;
  cached: CachedInputs | undefined;
}

/**
 * Loads tables of captures, or attaches them from the cache. The user's filter applies in addition to the needs of the
 * statement. Returns the summary of each capture, and a SELECT for each attached table.
 */
export async function loadCaptureTables(
  loader: TableLoader,
  inputs: readonly QueryInput[],
  needs: readonly TableNeeds[],
  collector: CollectorOptions & { signal: AbortSignal | undefined },
  { readings, cached }: LoadOptions,
): Promise<{ found: { path: string; summary: Summary }[]; attachedTables: Map<TableName, string[]> }> {
  const captures = capturesAmong(inputs);
  const names = needs.map(({ table }) => table).join(' and ');
  const stream = captures.find(({ path }) => isStreamInput(path));
  if (stream !== undefined && readings + needs.length > 1) {
    throw new SfkitError(
      'SQL_ERROR',
      `${inputName(stream.path)}: it can be read only once, and ${names} needs another read; save it to a file first`,
    );
  }
  const unfiltered = needs.find(({ table }) => !isFiltered(table));
  if (unfiltered !== undefined && collector.filter !== undefined) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `a filter selects events, and the table ${unfiltered.table} is not made of events that pass: use WHERE instead of --filter`,
    );
  }
  const found: { path: string; summary: Summary }[] = [];
  const attachedTables = new Map<TableName, string[]>();
  const add = (path: string, summary: Summary) => {
    if (!found.some((known) => known.path === path)) found.push({ path, summary });
  };
  for (const { table, columns, filter } of needs) {
    const made = columns.filter((name) => name !== 'filename');
    loader.keep(table, [...made, 'filename']);
    for (const input of captures) {
      const { path, shownAs } = input;
      const attached = await cached?.attach(input, table, collector);
      if (attached !== undefined) {
        attachedTables.set(table, [...(attachedTables.get(table) ?? []), attached.select(table)]);
        add(path, attached.summary);
        continue;
      }
      const session = openColumns({
        input: path,
        kind: 'capture',
        tables: [table],
        captureColumns: made,
        signal: collector.signal,
        filter: isFiltered(table) ? joinFilters(collector.filter, filter) : undefined,
      });
      const filename = shownAs ?? basename(inputName(path));
      for await (const batch of session) loader.append(batch.withText('filename', filename));
      add(path, session.summary());
    }
  }
  return { found, attachedTables };
}

function joinFilters(own: string | undefined, needed: string): string | undefined {
  if (needed === '' || !isFilter(needed)) return own;
  return own === undefined || own === '' ? needed : `(${own}) and (${needed})`;
}

/** A filter may reject values that are valid in SQL, such as an unknown event name. */
function isFilter(text: string): boolean {
  try {
    filterText(text);
    return true;
  } catch {
    return false;
  }
}

/** Creates the view through which SQL reads a loaded table, and the same table of `attached` databases. */
export async function createCaptureView(
  connection: DuckDBConnection,
  table: TableName,
  attached: readonly string[] = [],
): Promise<void> {
  const columns = table === 'events' ? eventColumns : '*';
  const rows = [selectTable(table), ...attached].join(' UNION ALL BY NAME ');
  await connection.run(`CREATE VIEW ${quoteIdentifier(table)} AS SELECT ${columns} FROM (${rows})`);
}

const eventColumns = `* EXCLUDE (arguments_json, buffer_base64, filename),
  CAST(CAST(arguments_json AS JSON) AS MAP(VARCHAR, VARCHAR)) AS arguments,
  from_base64(buffer_base64) AS buffer,
  filename`;
