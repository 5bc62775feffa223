import type { DuckDBConnection } from '@duckdb/node-api';
import { prepareHistory, prepareLineages } from '../check/sql/lineage.js';
import { allRowsSql } from '../check/sql/rows.js';
import { withValues } from '../check/sql/tuples.js';
import { BatchBuilder, RowCursor } from '../convert/table-rows.js';
import { quoteIdentifier, quoteText } from '../duckdb/sql-text.js';
import { tables } from '../engine/columns.gen.js';
import { emptySummary } from '../engine/empty-summary.js';
import { SfkitError } from '../engine/errors.js';
import { looksLikeCapture } from '../engine/input-kind.js';
import type { Summary } from '../engine/session.js';
import { physicalColumns } from '../output/spool.js';
import type { SingleInput } from '../query/inputs.js';
import type { RowFilter } from './filter.js';
import type { Source, SourceOptions } from './source.js';

/** DuckDB's memory limit; larger data goes to a temporary file. */
const memoryLimit = '512MB';

/** Opens the rows of an input for which a condition is true. */
export async function openFiltered(
  { path, tables: files }: SingleInput,
  { table, columns, compat }: SourceOptions,
  filter: RowFilter,
): Promise<Source> {
  const spec = tables.find(({ name }) => name === table);
  // Loaded on demand: loading DuckDB is slow.
  const { openDataset } = await import('../query/dataset.js');
  const aborted = new AbortController();
  const dataset = await openDataset(
    [path],
    'SELECT 1 FROM sysflow, process, header',
    compat !== undefined && files === undefined && looksLikeCapture(path) ? { compat } : {},
    { isolated: true, memoryLimit, signal: aborted.signal },
  );
  try {
    if (filter.needsAncestors) await prepareAncestors(dataset.connection, path);
    const wanted = physicalColumns(table)
      .map(({ name }) => name)
      .filter((name) => columns.includes(name) || alwaysRead.has(name));
    const rows = withValues(
      allRowsSql({ ancestors: filter.needsAncestors }),
      filter.names,
      (name) => filter.values[name],
    );
    const ofTable = spec?.kind === 'all' ? '' : ` AND type = ${quoteText(spec?.record ?? '')}`;
    const cursor = await RowCursor.open(
      dataset.connection,
      `SELECT ${wanted.map(quoteIdentifier).join(', ')} FROM (${rows}) WHERE ${filter.sql}${ofTable} ORDER BY idx`,
    );
    const builder = new BatchBuilder(table);
    let isStopped = false;
    return {
      next: async () => {
        while (!isStopped && !builder.isFull && (await cursor.next())) builder.add(cursor);
        return isStopped || builder.isEmpty ? undefined : builder.take();
      },
      summary: async () => joined(dataset.summaries.map(({ summary }) => summary)),
      stop: () => {
        isStopped = true;
      },
      close: () => dataset.close(),
    };
  } catch (error) {
    dataset.close();
    throw error;
  }
}

/** Columns that order the rows of several inputs. */
const alwaysRead: ReadonlySet<string> = new Set(['idx', 'ts_uts', 'endts_uts']);

async function prepareAncestors(connection: DuckDBConnection, path: string): Promise<void> {
  await prepareHistory(connection);
  if (await prepareLineages(connection)) return;
  throw new SfkitError(
    'INPUT_NOT_SUPPORTED',
    `${path}: the command lines of all processes and their ancestors are too long to evaluate`,
  );
}

/** The summary of an input: of one file, or of a directory of tables. */
function joined([only]: readonly Summary[]): Summary {
  return only ?? { ...emptySummary, format: 'tables' };
}
