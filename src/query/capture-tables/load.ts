import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { selectTable, type TableLoader } from '../../duckdb/database.js';
import { quoteIdentifier, quoteText } from '../../duckdb/sql-text.js';
import type { TableName } from '../../engine/columns.gen.js';
import { type CollectorOptions, filterText } from '../../engine/config.js';
import { SfkitError } from '../../engine/errors.js';
import { inputName, isStreamInput, looksLikeCapture } from '../../engine/input-kind.js';
import { openColumns, type Summary } from '../../engine/session.js';
import type { CachedInputs } from '../cache/attach.js';
import type { QueryInput } from '../inputs.js';
import { isFiltered } from './condition.js';
import { isAtMoment, keySql, notConstant, withoutMoment } from './moments.js';
import type { TableNeeds } from './needs.js';

// Tables that only captures have. A statement that names one makes it, with only the columns and
// rows that it needs.

/** The engine's summary of each input. */
type CaptureSummaries = { path: string; summary: Summary }[];

/** The inputs that may be captures. */
function capturesAmong(inputs: readonly QueryInput[]): QueryInput[] {
  return inputs.filter(
    ({ kind, path }) => kind === 'engine' && (isStreamInput(path) || looksLikeCapture(path)),
  );
}

/** The needs that the inputs can meet; throws if one certainly cannot be met. */
export function answerable(
  needs: readonly TableNeeds[],
  inputs: readonly QueryInput[],
): readonly TableNeeds[] {
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
 * Loads tables of captures, or attaches them from the cache. The user's filter applies in addition
 * to the needs of the statement. Returns the summary of each capture, and a SELECT for each
 * attached table.
 */
export async function loadCaptureTables(
  loader: TableLoader,
  inputs: readonly QueryInput[],
  needs: readonly TableNeeds[],
  collector: CollectorOptions & { signal: AbortSignal | undefined },
  { readings, cached }: LoadOptions,
): Promise<{ found: CaptureSummaries; attachedTables: Map<TableName, string[]> }> {
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
  const found: CaptureSummaries = [];
  const attachedTables = new Map<TableName, string[]>();
  for (const { table, columns, filter, moments, isCertain } of needs) {
    if (isAtMoment(table) && moments.length === 0) {
      if (isCertain) throw new SfkitError('SQL_ERROR', withoutMoment(table));
      continue;
    }
    const made = columns.filter((name) => name !== 'filename');
    loader.keep(table, [...made, 'filename']);
    for (const input of captures) {
      const { path, shownAs } = input;
      // The moments are those of the statement, so their state is not kept.
      const attached = isAtMoment(table)
        ? undefined
        : await cached?.attach(input, table, collector);
      if (attached !== undefined) {
        attachedTables.set(table, [...(attachedTables.get(table) ?? []), attached.select(table)]);
        joinSummaries(found, [{ path, summary: attached.summary }]);
        continue;
      }
      const session = openColumns({
        input: path,
        kind: 'capture',
        tables: [table],
        captureColumns: made,
        moments: moments.map(({ moment }) => moment),
        signal: collector.signal,
        filter: isFiltered(table) ? joinFilters(collector.filter, filter) : undefined,
      });
      const filename = shownAs ?? basename(inputName(path));
      for await (const batch of session) loader.append(batch.withText('filename', filename));
      joinSummaries(found, [{ path, summary: session.summary() }]);
    }
  }
  return { found, attachedTables };
}

/**
 * Adds summaries of further readings: each input keeps that of its longest reading, and what a
 * moment leaves out.
 */
export function joinSummaries(known: CaptureSummaries, added: CaptureSummaries): void {
  for (const { path, summary } of added) {
    const place = known.findIndex((one) => one.path === path);
    const before = known[place]?.summary;
    if (before === undefined) {
      known.push({ path, summary });
      continue;
    }
    const [longer, shorter] = summary.bytes > before.bytes ? [summary, before] : [before, summary];
    const more = shorter.skipped.filter(
      ({ id }) =>
        id === 'descriptors-at-a-moment' && !longer.skipped.some((skipped) => skipped.id === id),
    );
    known[place] = { path, summary: { ...longer, skipped: [...longer.skipped, ...more] } };
  }
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

/**
 * Creates the view, or the function of a moment, through which SQL reads a loaded table, and the
 * same table of `attached` databases.
 */
export async function createCaptureView(
  connection: DuckDBConnection,
  { table, moments }: Pick<TableNeeds, 'table' | 'moments'>,
  attached: readonly string[] = [],
): Promise<void> {
  const name = quoteIdentifier(table);
  if (!isAtMoment(table)) {
    const columns = table === 'events' ? eventColumns : '*';
    const rows = [selectTable(table), ...attached].join(' UNION ALL BY NAME ');
    await connection.run(`CREATE OR REPLACE VIEW ${name} AS SELECT ${columns} FROM (${rows})`);
    return;
  }
  const keys = `CAST([${moments.map(({ key }) => quoteText(key)).join(', ')}] AS VARCHAR[])`;
  const place = `list_position(${keys}, ${keySql('wanted_moment')}) - 1`;
  await connection.run(
    `CREATE OR REPLACE MACRO ${name}(wanted_moment) AS TABLE SELECT * EXCLUDE (moment_number) FROM (${selectTable(table)})
     WHERE moment_number = coalesce(${place}, error(${quoteText(notConstant(table))}))`,
  );
}

const eventColumns = `* EXCLUDE (arguments_json, buffer_base64, filename),
  CAST(CAST(arguments_json AS JSON) AS MAP(VARCHAR, VARCHAR)) AS arguments,
  from_base64(buffer_base64) AS buffer,
  filename`;
