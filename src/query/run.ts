import { tmpdir } from 'node:os';
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import type { DrawOptions } from '../draw/types.js';
import { StatementType } from '../duckdb/api.js';
import { sqlShare } from '../duckdb/database.js';
import { onSqlError } from '../duckdb/sql-error.js';
import { quoteText } from '../duckdb/sql-text.js';
import { beginWork } from '../engine/work.js';
import { scratchDirectory } from '../output/pending.js';
import { type ByteSink, isStream, openSink } from '../output/sink.js';
import { stageFile } from '../output/staged.js';
import { writeTable } from './drawn.js';
import type { ResultFormat, TextFormat } from './formats.js';
import { writeText } from './result.js';
import type { ParameterValues } from './saved/parameters.js';

export interface RunOptions {
  /** How to draw a table. Default: as in a file. */
  draw?: DrawOptions;
  /** Maximum rows of every format; a drawn table says how many more there are. Default: all. */
  rows?: number | undefined;
  /** Opens the target. */
  open?: (target: string) => ByteSink;
  /** Values for the parameters of the statement; only a single statement may have them. */
  parameters?: ParameterValues;
}

/**
 * Runs SQL and writes the last statement's rows to a file, or to standard output for '-' (but not a
 * database).
 */
export async function runQuery(
  connection: DuckDBConnection,
  sql: string,
  format: ResultFormat | 'duckdb',
  target: string,
  { draw = {}, rows, open = openSink, parameters = {} }: RunOptions = {},
): Promise<void> {
  const end = beginWork({ share: () => sqlShare(connection) });
  try {
    await writeAnswer(connection, sql, format, target, { draw, rows, open, parameters });
  } finally {
    end();
  }
}

async function writeAnswer(
  connection: DuckDBConnection,
  sql: string,
  format: ResultFormat | 'duckdb',
  target: string,
  { draw, rows, open, parameters }: Required<RunOptions>,
): Promise<void> {
  const isFixed = Object.keys(parameters).length === 0;
  const result = await onSqlError(() =>
    isFixed ? connection.stream(sql) : connection.stream(sql, { ...parameters }),
  );
  if (format === 'parquet') return writeParquet(result, target, rows);
  if (format === 'duckdb') return (await import('./keep.js')).keepResult(result, target, rows);
  if (format === 'arrow') return writeArrowTo(result, target, rows);
  const sink = open(target);
  try {
    await onSqlError(() => writeRows(connection, result, format, { draw, rows }, sink));
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
  { draw, rows }: { draw: DrawOptions; rows: number | undefined },
  sink: ByteSink,
): Promise<void> {
  if (format !== 'table') return writeText(result, format, sink, rows);
  // DuckDB has already drawn a plan.
  if (result.statementType === StatementType.EXPLAIN) return writeText(result, 'plan', sink);
  return writeTable(connection, result, draw, sink);
}

async function writeArrowTo(
  result: DuckDBResult,
  target: string,
  rows: number | undefined,
): Promise<void> {
  const { stageResult } = await import('./result-stage.js');
  const { writeArrow } = await import('./result-arrow.js');
  const sink = openSink(target);
  const scratch = scratchDirectory(tmpdir(), target);
  try {
    await onSqlError(async () => {
      const staged = await stageResult(result, 'arrow', scratch.path, rows);
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

async function writeParquet(
  result: DuckDBResult,
  target: string,
  rows: number | undefined,
): Promise<void> {
  const { stageResult } = await import('./result-stage.js');
  const file = stageFile(target, 'result.parquet');
  try {
    await onSqlError(async () => {
      const staged = await stageResult(result, 'parquet', file.scratch, rows);
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
