import type { DuckDBConnection } from '@duckdb/node-api';
import type { DrawOptions } from '../draw/types.js';
import { quoteIdentifier, quoteText } from '../export/duckdb.js';
import { type ByteSink, isStream, openSink } from '../export/sink.js';
import { stageFile } from '../export/staged.js';
import { writeTable } from './drawn.js';
import type { ResultFormat } from './formats.js';
import { writeText } from './result.js';
import { onSqlError } from './sql-error.js';

export interface RunOptions {
  /** How a table is drawn. Default: as into a file. */
  draw?: DrawOptions;
  /** Opens the target. */
  open?: (target: string) => ByteSink;
}

/** Runs SQL and writes the last statement's rows to a file, or to standard output for '-'. */
export async function runQuery(
  connection: DuckDBConnection,
  sql: string,
  format: ResultFormat,
  target: string,
  { draw = {}, open = openSink }: RunOptions = {},
): Promise<void> {
  if (format === 'parquet') return writeParquet(connection, sql, target);
  const result = await onSqlError(() => connection.stream(sql));
  const sink = open(target);
  try {
    if (format === 'arrow') {
      const { writeArrow } = await import('./result-arrow.js');
      await onSqlError(() => writeArrow(result, isStream(target) ? 'stream' : 'file', sink));
    } else if (format === 'table') {
      await onSqlError(() => writeTable(connection, result, draw, sink));
    } else {
      await onSqlError(() => writeText(result, format, sink));
    }
    await sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  }
}

async function writeParquet(connection: DuckDBConnection, sql: string, target: string): Promise<void> {
  const staged = stageFile(target, 'result.parquet');
  try {
    await onSqlError(async () => {
      const query = sql.trim().replace(/;+$/, '');
      const described = await connection.runAndReadAll(`DESCRIBE ${query}`);
      // Parquet has no HUGEINT, what a sum of BIGINT is; DuckDB would round it to DOUBLE.
      const columns = described.getRows().map(([name, type]) => {
        const column = quoteIdentifier(String(name));
        return type === 'HUGEINT' ? `${column}::DECIMAL(38, 0) AS ${column}` : column;
      });
      await connection.run(
        `COPY (SELECT ${columns.join(', ')} FROM (${query}\n)) TO ${quoteText(staged.path)} (FORMAT parquet, COMPRESSION zstd)`,
      );
    });
    await staged.commit();
  } finally {
    staged.discard();
  }
}
