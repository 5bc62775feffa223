import { tmpdir } from 'node:os';
import { type DuckDBConnection, type DuckDBResult, StatementType } from '@duckdb/node-api';
import type { DrawOptions } from '../draw/types.js';
import { scratchDirectory } from '../export/pending.js';
import { type ByteSink, isStream, openSink } from '../export/sink.js';
import { quoteText } from '../export/sql-text.js';
import { stageFile } from '../export/staged.js';
import { writeTable } from './drawn.js';
import type { ResultFormat, TextFormat } from './formats.js';
import { writeText } from './result.js';
import { onSqlError } from './sql-error.js';

export interface RunOptions {
  /** How to draw a table. Default: as in a file. */
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
  const result = await onSqlError(() => connection.stream(sql));
  if (format === 'parquet') return writeParquet(result, target);
  if (format === 'arrow') return writeArrowTo(result, target);
  const sink = open(target);
  try {
    await onSqlError(() => writeRows(connection, result, format, draw, sink));
    await sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  }
}

function writeRows(
  connection: DuckDBConnection,
  result: DuckDBResult,
  format: TextFormat,
  draw: DrawOptions,
  sink: ByteSink,
): Promise<void> {
  if (format !== 'table') return writeText(result, format, sink);
  // DuckDB has already drawn a plan.
  if (result.statementType === StatementType.EXPLAIN) return writeText(result, 'plan', sink);
  return writeTable(connection, result, draw, sink);
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
    }, target);
    await file.commit();
  } finally {
    file.discard();
  }
}
