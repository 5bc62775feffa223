import type { DuckDBConnection } from '@duckdb/node-api';
import { SfkitError } from '../engine/errors.js';
import { quoteIdentifier, quoteText } from '../export/duckdb.js';
import { isStream, openSink } from '../export/sink.js';
import { stageFile } from '../export/staged.js';
import type { ResultFormat } from './formats.js';
import { writeText } from './result.js';

/** Runs SQL and writes the last statement's rows to a file, or to standard output for '-'. */
export async function runQuery(
  connection: DuckDBConnection,
  sql: string,
  format: ResultFormat,
  target: string,
): Promise<void> {
  if (format === 'parquet') return writeParquet(connection, sql, target);
  const result = await onSqlError(() => connection.stream(sql));
  const sink = openSink(target);
  try {
    if (format === 'arrow') {
      const { writeArrow } = await import('./result-arrow.js');
      await onSqlError(() => writeArrow(result, isStream(target) ? 'stream' : 'file', sink));
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

async function onSqlError<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof SfkitError || (error as NodeJS.ErrnoException).code !== undefined) throw error;
    throw new SfkitError('SQL_ERROR', oneLine((error as Error).message), { cause: error });
  }
}

/** DuckDB's message without the picture of the statement. */
function oneLine(message: string): string {
  const text = message.replace(/^Failed to extract statements: /, '').split(/\n\s*LINE \d+:/, 1)[0] as string;
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
}
