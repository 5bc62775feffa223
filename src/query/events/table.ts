import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type CollectorOptions, filterText } from '../../engine/config.js';
import { SfkitError } from '../../engine/errors.js';
import { inputName, isStreamInput, looksLikeCapture } from '../../engine/input-kind.js';
import { openColumns, type Summary } from '../../engine/session.js';
import { selectTable, type TableLoader } from '../../export/duckdb.js';
import type { QueryInput } from '../inputs.js';
import type { EventNeeds } from './needs.js';

// The table `events`: made of captures when a statement names it, and only as much of it as the statement needs.

/** Loads the events of captures. A filter of the user's holds besides what the statement needs. */
export async function loadEvents(
  loader: TableLoader,
  inputs: readonly QueryInput[],
  needs: EventNeeds,
  collector: CollectorOptions,
  isReadAgain: boolean,
): Promise<{ path: string; summary: Summary }[]> {
  const captures = inputs.filter(
    ({ kind, path }) => kind === 'engine' && (isStreamInput(path) || looksLikeCapture(path)),
  );
  if (captures.length === 0) {
    const [first] = inputs;
    throw new SfkitError(
      'SQL_ERROR',
      `${first?.path}: it has no table events: only captures hold events, and this is a file of records; ask the capture it was made of`,
    );
  }
  const stream = captures.find(({ path }) => isStreamInput(path));
  if (stream !== undefined && isReadAgain) {
    throw new SfkitError(
      'SQL_ERROR',
      `${inputName(stream.path)}: it can be read once only, and events and records together need two readings; save it to a file first`,
    );
  }
  const columns = needs.columns.filter((name) => name !== 'filename');
  loader.keep('events', [...columns, 'filename']);
  const filter = joinFilters(collector.filter, needs.filter);
  const summaries: { path: string; summary: Summary }[] = [];
  for (const { path, shownAs } of captures) {
    const session = openColumns({ input: path, kind: 'capture', tables: ['events'], eventColumns: columns, filter });
    const filename = shownAs ?? basename(inputName(path));
    for await (const batch of session) loader.append(batch.withText('filename', filename));
    summaries.push({ path, summary: session.summary() });
  }
  return summaries;
}

function joinFilters(own: string | undefined, needed: string): string | undefined {
  if (needed === '' || !isFilter(needed)) return own;
  return own === undefined || own === '' ? needed : `(${own}) and (${needed})`;
}

/** A value of SQL need not be one that the filter takes, such as a name that no event has. */
function isFilter(text: string): boolean {
  try {
    filterText(text);
    return true;
  } catch {
    return false;
  }
}

/** Makes the loaded events readable in SQL. */
export async function createEventsView(connection: DuckDBConnection): Promise<void> {
  await connection.run(`CREATE VIEW events AS
    SELECT * EXCLUDE (arguments_json, buffer_base64, filename),
      CAST(CAST(arguments_json AS JSON) AS MAP(VARCHAR, VARCHAR)) AS arguments,
      from_base64(buffer_base64) AS buffer,
      filename
    FROM (${selectTable('events')})`);
}
