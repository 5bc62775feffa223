import { basename } from 'node:path';
import type { TimestampUnit } from '../duckdb/sql-text.js';
import type { TableName } from '../engine/columns.gen.js';
import type { Codec, CollectorOptions } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { inputName, kindOf } from '../engine/input-kind.js';
import {
  firstSecond,
  openRecords,
  type RecordBatch,
  releaseBatch,
  type Session,
  type Summary,
} from '../engine/session.js';
import { beginWork } from '../engine/work.js';
import { deliveriesFor, openOutputs, type RecordOutput, sfNamesOf } from '../export/outputs.js';
import { type Conversion, type Format, planConversions } from '../export/plan.js';
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
  /**
   * Compression of .sf files. With null every byte of a file is the same on every machine; with
   * deflate what its blocks decompress to. Default: deflate.
   */
  codec?: Codec | undefined;
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
  /** Unix socket of type SOCK_SEQPACKET that gets the records one by one. */
  socket?: string | undefined;
  /** Called with messages about the socket. */
  warn?: ((message: string) => void) | undefined;
  /** Seconds of event time between headers, for files and the socket. Default: never. */
  rotateInterval?: number | undefined;
  /** Called at the start with a function that returns the summary so far. */
  onStart?: ((summary: () => Summary) => void) | undefined;
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
export function runConversion(
  conversion: Conversion,
  options: ConversionOptions = {},
): Promise<Summary> {
  return runConversions(conversion.input, [conversion], options);
}

/** Converts one input into all planned outputs, in one pass over it if it is not a table. */
export async function runConversions(
  input: string,
  plans: readonly Conversion[],
  options: ConversionOptions = {},
): Promise<Summary> {
  const { table, tables, signal, socket, warn, onStart, onProgress, ...collector } = options;
  const report = (summary: Summary) => {
    signal?.throwIfAborted();
    onProgress?.(summary);
  };
  signal?.throwIfAborted();
  if (tables !== undefined) {
    if (socket !== undefined) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        `${input}: --socket needs a capture or a SysFlow file, and this is a table`,
      );
    }
    const { convertTables } = await import('./convert-tables.js');
    let events = 0;
    const endReading = beginWork({
      input,
      progress: () => ({ size: 0, consumed: 0, bytes: 0, events }),
    });
    try {
      let summary: Summary | undefined;
      for (const plan of plans) {
        const onRows = (summary: Summary) => {
          events = Number(summary.events);
          report(summary);
        };
        const one = await convertTables(plan, tables, { table, codec: collector.codec }, onRows);
        summary ??= one;
      }
      return summary as Summary;
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      endReading();
    }
  }
  // The header names the capture, so that outputs depend on neither its directory nor their own
  // names. Files of a rotation have their own names, and so do the collector's files.
  const own = sfNamesOf(plans);
  const isOwn =
    own !== undefined && (own.fileNames !== undefined || collector.compat !== undefined);
  const names = isOwn ? own : { filename: plans.length > 0 ? basename(inputName(input)) : '' };
  const wanted = { plans, socket, table, warn };
  const session = openRecords(
    { ...names, ...collector, input, kind: kindOf(input), signal },
    deliveriesFor(wanted),
  );
  // A conversion has no deadline for the socket before its end.
  onStart?.(() => session.summary());
  return run(session, report, () =>
    openOutputs(wanted, { second: () => firstSecond(session, false) }),
  );
}

/**
 * Moves all batches into the outputs, which open with the first batch: an unreadable input leaves
 * no output.
 */
async function run(
  session: Session<RecordBatch>,
  onProgress: CommonConvertOptions['onProgress'],
  open: () => RecordOutput[],
): Promise<Summary> {
  let outputs: RecordOutput[] = [];
  try {
    const batches = await afterFirst(session);
    outputs = open();
    for await (const batch of batches) {
      for (const output of outputs) await output.write(batch);
      releaseBatch(batch);
      onProgress?.(session.summary());
    }
    for (const output of outputs) await output.finish();
  } catch (error) {
    session.close();
    for (const output of outputs) output.abandon();
    throw error;
  }
  const summary = session.summary();
  const undelivered = outputs.flatMap((output) => output.gaps?.() ?? []);
  return {
    ...summary,
    skipped: [...summary.skipped, ...undelivered.map(({ isLoss: _, ...reason }) => reason)],
  };
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
