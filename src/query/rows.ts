import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api';
import { columnValues, readingType } from './columns.js';
import { type ValueWriter, valueWriter } from './values.js';

/** Returns a function that converts chunks of a result to rows of text in one form. */
export function rowReader(
  result: DuckDBResult,
  form: keyof ValueWriter,
): (chunk: DuckDBDataChunk) => string[][] {
  const types = result.columnTypes();
  const reading = types.map(readingType);
  const writers = types.map((type) => valueWriter(type)[form]);
  return (chunk) => {
    const columns = columnValues(chunk, reading);
    return Array.from({ length: chunk.rowCount }, (_, row) =>
      writers.map((write, index) => write(columns[index]?.[row] ?? null)),
    );
  };
}
