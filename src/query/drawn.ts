import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { Drawing } from '../draw/drawing.js';
import type { DrawnColumn, DrawOptions, Remaining } from '../draw/types.js';
import { DuckDBTypeId } from '../duckdb/api.js';
import type { ByteSink } from '../output/sink.js';
import { rowReader } from './rows.js';
import { isNumeric } from './values.js';

/** Maximum time, in ms, to count the rows that are not drawn. */
const maxCountingTime = 1000;

/** Draws a result while it is computed. */
export async function writeTable(
  connection: DuckDBConnection,
  result: DuckDBResult,
  options: DrawOptions,
  sink: ByteSink,
): Promise<void> {
  const drawing = new Drawing(columnsOf(result), options);
  const rowsOf = rowReader(result, 'plain');
  let count = 0;
  while (drawing.room > 0) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    const shown = Math.min(chunk.rowCount, drawing.room);
    for (const row of rowsOf(chunk).slice(0, shown)) {
      const text = drawing.add(row.map(cellOf));
      if (text !== '') await sink.write(text);
    }
    count = chunk.rowCount - shown;
  }
  const more = drawing.room > 0 ? undefined : await countRest(connection, result, count);
  await sink.write(drawing.end(more));
}

function columnsOf(result: DuckDBResult): DrawnColumn[] {
  return result.columnNames().map((name, index) => {
    const type = result.columnTypeId(index);
    return { name, right: isNumeric(type), long: times.has(type) ? 'time' : 'cut' };
  });
}

/** Only a missing value has an empty text; see ValueWriter. */
const cellOf = (text: string) => (text === '' ? null : text);

const times = new Set([
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
  DuckDBTypeId.TIMESTAMP_TZ,
]);

/** Counts the rows that are not drawn, starting at `start`, within the time limit. */
async function countRest(
  connection: DuckDBConnection,
  result: DuckDBResult,
  start: number,
): Promise<Remaining> {
  let count = start;
  let isExact = true;
  const timer = setTimeout(() => {
    isExact = false;
    connection.interrupt();
  }, maxCountingTime);
  try {
    while (isExact) {
      const chunk = await result.fetchChunk();
      // An interrupted result can end like any other.
      if (chunk === null || chunk.rowCount === 0) break;
      count += chunk.rowCount;
    }
  } catch (error) {
    // Ignore the error of our own interruption.
    if (isExact) throw error;
  } finally {
    clearTimeout(timer);
  }
  return { count, isExact };
}
