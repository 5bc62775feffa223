import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { selectTable, type TableLoader } from '../../duckdb/database.js';
import { quoteIdentifier } from '../../duckdb/sql-text.js';
import type { TableName } from '../../engine/columns.gen.js';
import { type CollectorOptions, filterText } from '../../engine/config.js';
import { SfkitError } from '../../engine/errors.js';
import { inputName, isStreamInput, looksLikeCapture } from '../../engine/input-kind.js';
import { openColumns, type Summary } from '../../engine/session.js';
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

/**
 * Loads tables of captures. The user's filter applies in addition to the needs of the statement. `readings`: how often
 * the inputs are read for other tables.
 */
export async function loadCaptureTables(
  loader: TableLoader,
  inputs: readonly QueryInput[],
  needs: readonly TableNeeds[],
  collector: CollectorOptions & { signal: AbortSignal | undefined },
  readings: number,
): Promise<{ path: string; summary: Summary }[]> {
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
  const summaries: { path: string; summary: Summary }[] = [];
  for (const { table, columns, filter } of needs) {
    const made = columns.filter((name) => name !== 'filename');
    loader.keep(table, [...made, 'filename']);
    for (const { path, shownAs } of captures) {
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
      if (!summaries.some((known) => known.path === path)) summaries.push({ path, summary: session.summary() });
    }
  }
  return summaries;
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

/** Creates the view through which SQL reads a loaded table. */
export async function createCaptureView(connection: DuckDBConnection, table: TableName): Promise<void> {
  const columns = table === 'events' ? eventColumns : '*';
  await connection.run(`CREATE VIEW ${quoteIdentifier(table)} AS SELECT ${columns} FROM (${selectTable(table)})`);
}

const eventColumns = `* EXCLUDE (arguments_json, buffer_base64, filename),
  CAST(CAST(arguments_json AS JSON) AS MAP(VARCHAR, VARCHAR)) AS arguments,
  from_base64(buffer_base64) AS buffer,
  filename`;
