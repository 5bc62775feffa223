import type { RecordBatch } from 'apache-arrow';
import type { TableName } from '../engine/columns.gen.js';
import type { CollectorOptions, FileMode } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { openColumns, openDatums, type Session, type Summary } from '../engine/session.js';
import { decodeBatch } from '../records/decode.js';
import type { CaptureRecord } from '../records/types.js';

/** Options for reading a capture. Every option has a default. */
export interface CaptureOptions extends CollectorOptions {
  /** Required kind of input. Default: auto, a capture or a SysFlow file. */
  kind?: 'auto' | 'capture' | 'sysflow' | undefined;
  /** How sfkit follows files. Default: flow. */
  mode?: FileMode | undefined;
  /**
   * Seconds of event time between headers; after each header, entities are written again. Default:
   * 0, never.
   */
  rotateInterval?: number | undefined;
  /** Aborting it ends the reading: the iteration throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * A capture that can be read once, record by record or in batches. Records of type `Ended` say
 * which entities ended, so that an EntityTable holds only live entities.
 */
export interface Capture extends AsyncIterable<CaptureRecord> {
  /**
   * The rows of one table as Arrow record batches. Default: sysflow, all events and flows; 8192
   * rows per batch.
   */
  batches(options?: { table?: TableName; rows?: number }): AsyncIterable<RecordBatch>;
  /** Counts of what was read, written and left out; final after the last record. */
  summary(): Summary;
  /** Stops reading: no further records arrive. */
  close(): void;
}

/**
 * Opens a capture or a SysFlow file: `for await (const record of openCapture(path))`. Reading
 * starts when the first record is requested and stays a few batches ahead; the consumer sets the
 * pace. Damage does not throw; it is in the summary. Environment variables have no influence.
 */
export function openCapture(path: string, options: CaptureOptions = {}): Capture {
  if (typeof path !== 'string')
    throw new SfkitError('INVALID_ARGUMENT', 'the path of a capture must be a string');
  let session: Session<unknown> | undefined;
  let isClosed = false;
  const start = <Batch>(open: () => Session<Batch>): Session<Batch> => {
    if (session !== undefined)
      throw new SfkitError(
        'INVALID_ARGUMENT',
        `${path}: already being read; call openCapture again`,
      );
    const opened = open();
    session = opened;
    if (isClosed) opened.close();
    return opened;
  };
  const config = { ...options, input: path };
  return {
    async *[Symbol.asyncIterator]() {
      for await (const batch of start(() => openDatums(config))) {
        if (batch.kind !== 'datums') continue;
        for (const item of decodeBatch(batch)) {
          if (isClosed) return;
          options.signal?.throwIfAborted();
          yield 'record' in item ? item.record : item.ended;
        }
      }
    },
    async *batches({ table = 'sysflow', rows = 8192, ...others } = {}) {
      for (const name of Object.keys(others)) {
        throw new SfkitError(
          'INVALID_ARGUMENT',
          `batches: unknown option '${name}'; expected table or rows`,
        );
      }
      const opened = start(() => openColumns({ ...config, tables: [table], batchRows: rows }));
      // Imported here: code that reads records does not need it.
      const { ArrowBatches } = await import('../export/arrow.js');
      const arrow = new ArrowBatches(table);
      for await (const batch of opened) {
        if (isClosed) return;
        yield arrow.encode(batch);
      }
    },
    summary() {
      if (session === undefined)
        throw new SfkitError('INVALID_ARGUMENT', `${path}: reading has not started`);
      return session.summary();
    },
    close() {
      isClosed = true;
      session?.close();
    },
  };
}
