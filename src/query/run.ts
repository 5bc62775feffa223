import { tmpdir } from 'node:os';
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { quoteText } from '../export/duckdb.js';
import { scratchDirectory } from '../export/pending.js';
import { isStream, openSink } from '../export/sink.js';
import { stageFile } from '../export/staged.js';
import type { ResultFormat, TextFormat } from './formats.js';
import { writeText } from './result.js';
import { onSqlError } from './sql-error.js';

/** Runs SQL and writes the last statement's rows to a file, or to standard output for '-'. */
export async function runQuery(
  connection: DuckDBConnection,
  sql: string,
  format: ResultFormat,
  target: string,
): Promise<void> {
  const result = await onSqlError(() => connection.stream(sql));
  if (format === 'parquet') return writeParquet(result, target);
  if (format === 'arrow') return writeArrowTo(result, target);
  return writeTextTo(result, format, target);
}

async function writeTextTo(result: DuckDBResult, format: TextFormat, target: string): Promise<void> {
  const sink = openSink(target);
  try {
    await onSqlError(() => writeText(result, format, sink));
    await sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  }
}

async function writeArrowTo(result: DuckDBResult, target: string): Promise<void> {
  const { stageResult } = await import('./result-stage.js');
  const { writeArrow } = await import('./result-arrow.js');
  const sink = openSink(target);
  const scratch = scratchDirectory(tmpdir(), target);
  try {
    await onSqlError(async () => {
      const staged = await stageResult(result, 'arrow', scratch.path);
      try {
        await writeArrow(staged, isStream(target) ? 'stream' : 'file', sink);
      } finally {
        staged.close();
      }
    });
    await sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  } finally {
    scratch.discard();
  }
}

async function writeParquet(result: DuckDBResult, target: string): Promise<void> {
  const { stageResult } = await import('./result-stage.js');
  const file = stageFile(target, 'result.parquet');
  try {
    await onSqlError(async () => {
      const staged = await stageResult(result, 'parquet', file.scratch);
      try {
        await staged.connection.run(
          `COPY (${staged.select}) TO ${quoteText(file.path)} (FORMAT parquet, COMPRESSION zstd)`,
        );
      } finally {
        staged.close();
      }
    });
    await file.commit();
  } finally {
    file.discard();
  }
}
