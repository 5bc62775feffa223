import { basename } from 'node:path';
import type { TimestampUnit } from '../duckdb/sql-text.js';
import type { TableName } from '../engine/columns.gen.js';
import type { CollectorOptions } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { inputName, kindOf } from '../engine/input-kind.js';
import { openAvro, openColumns, type Session, type Summary } from '../engine/session.js';
import { beginWork } from '../engine/work.js';
import { type Conversion, type Format, planConversions } from '../export/plan.js';
import { openTables, tablesOf } from '../export/tables.js';
import { openSink } from '../output/sink.js';
import { makeDirectory } from '../output/target.js';
import { type QueryInput, singleInputs } from '../query/inputs.js';

/** Output of a conversion. */
export interface ConvertOptions extends CommonConvertOptions {
  /** A file, or a directory of tables if it ends in /. */
  output: string;
  /** Default: from the extension of `output`, else parquet. */
  format?: Format | undefined;
  /** Unit of times in Parquet files. Default: ns. */
  timestamps?: TimestampUnit | undefined;
}

/** Options of every conversion. */
export interface CommonConvertOptions extends CollectorOptions {
  /** The table for an output that holds a single table. Default: sysflow, all events and flows. */
  table?: TableName | undefined;
  /** Called after each batch with the summary so far. */
  onProgress?: ((summary: Summary) => void) | undefined;
  /**
   * Aborting it ends the conversion: no output is written, and convert() rejects with the signal's
   * reason.
   */
  signal?: AbortSignal | undefined;
}

/** Options for an input that already has its plan. */
export interface ConversionOptions extends CommonConvertOptions {
  /** The files of a table input; undefined if the engine reads the input. */
  tables?: readonly QueryInput[] | undefined;
}

/**
 * Converts a capture, a SysFlow file, or tables (a file or a directory of them). The output gets
 * its name when it is complete; on an error there is no output.
 */
export async function convert(input: string, options: ConvertOptions): Promise<Summary> {
  const { output, format, timestamps, ...rest } = options;
  const singles = singleInputs([input]);
  const [single] = singles;
  if (single === undefined || singles.length > 1)
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${input}: ${singles.length} inputs; convert them one by one`,
    );
  const [conversion] = planConversions([single.path], format, output);
  const plan = {
    ...(conversion as Conversion),
    ...(timestamps === undefined ? {} : { timestamps }),
  };
  return runConversion(plan, { ...rest, tables: single.tables });
}

/** Converts one input as planned. */
export async function runConversion(
  conversion: Conversion,
  options: ConversionOptions = {},
): Promise<Summary> {
  const { table, tables, signal, onProgress: report, ...collector } = options;
  const onProgress = (summary: Summary) => {
    signal?.throwIfAborted();
    report?.(summary);
  };
  signal?.throwIfAborted();
  if (tables !== undefined) {
    const { convertTables } = await import('./convert-tables.js');
    let events = 0;
    const endReading = beginWork({
      input: conversion.input,
      progress: () => ({ size: 0, consumed: 0, bytes: 0, events }),
    });
    try {
      return await convertTables(conversion, tables, table, (summary) => {
        events = Number(summary.events);
        onProgress(summary);
      });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      endReading();
    }
  }
  // The base name of the capture, so that the bytes depend on neither its directory nor the
  // output's name.
  const { input } = conversion;
  const config = {
    filename: basename(inputName(input)),
    ...collector,
    input,
    kind: kindOf(input),
    signal,
  };
  return conversion.format === 'avro'
    ? toAvro(conversion, config, onProgress)
    : toTables(conversion, config, table, onProgress);
}

type Config = CollectorOptions & {
  input: string;
  kind: 'auto' | 'capture';
  signal: AbortSignal | undefined;
};
type Progress = CommonConvertOptions['onProgress'];

async function toAvro(
  conversion: Conversion,
  config: Config,
  onProgress: Progress,
): Promise<Summary> {
  const session = openAvro(config);
  return run(session, onProgress, () => {
    if (conversion.directory !== undefined) makeDirectory(conversion.directory);
    const sink = openSink(conversion.output);
    return {
      write: (bytes) => sink.write(bytes),
      finish: () => sink.close(),
      discard: () => sink.discard(),
    };
  });
}

async function toTables(
  conversion: Conversion,
  config: Config,
  table: TableName | undefined,
  onProgress: Progress,
): Promise<Summary> {
  const wanted = tablesOf(conversion, table);
  return run(openColumns({ ...config, tables: wanted }), onProgress, () => {
    if (conversion.directory !== undefined) makeDirectory(conversion.directory);
    return openTables(conversion, wanted);
  });
}

interface Output<Batch> {
  write(batch: Batch): Promise<void>;
  finish(): Promise<void>;
  discard(): void;
}

/**
 * Moves all batches into an output, which opens with the first batch: an unreadable input leaves no
 * output.
 */
async function run<Batch>(
  session: Session<Batch>,
  onProgress: Progress,
  open: () => Output<Batch> | Promise<Output<Batch>>,
): Promise<Summary> {
  let output: Output<Batch> | undefined;
  try {
    const batches = await afterFirst(session);
    output = await open();
    for await (const batch of batches) {
      await output.write(batch);
      onProgress?.(session.summary());
    }
    await output.finish();
  } catch (error) {
    session.close();
    output?.discard();
    throw error;
  }
  return session.summary();
}

/** Waits for the first batch, then iterates over all of them. */
async function afterFirst<Batch>(session: Session<Batch>): Promise<AsyncIterable<Batch>> {
  const iterator = session[Symbol.asyncIterator]();
  let next: IteratorResult<Batch> | undefined = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const current = next ?? (await iterator.next());
        next = undefined;
        return current;
      },
      async return() {
        session.close();
        return { done: true, value: undefined };
      },
    }),
  };
}
