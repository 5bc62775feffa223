import type { RecordBatch } from 'apache-arrow';
import type { TableName } from '../engine/columns.gen.js';
import type { CollectorOptions, FileMode } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { openColumns, openDatums, type Session, type Summary } from '../engine/session.js';
import { decodeBatch } from '../records/decode.js';
import type { CaptureRecord } from '../records/types.js';

/** How a capture is read. Every setting has a default. */
export interface CaptureOptions extends CollectorOptions {
  /** What the input must be. Default: auto, a capture or a SysFlow file. */
  kind?: 'auto' | 'capture' | 'sysflow' | undefined;
  /** How files are followed. Default: flow. */
  mode?: FileMode | undefined;
  /** Seconds of event time after which a header begins anew and entities are given again. Default: 0, never. */
  rotateInterval?: number | undefined;
  /** Ends reading when it is aborted: the iteration throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * A capture that can be read once, record by record or in batches. Between records it says which entities ended (type
 * `Ended`), so that an EntityTable stays as small as what is alive.
 */
export interface Capture extends AsyncIterable<CaptureRecord> {
  /** The same as Arrow record batches of one table. Default: sysflow, all events and flows. */
  batches(options?: { table?: TableName; rows?: number }): AsyncIterable<RecordBatch>;
  /** What was read, made and left out; final after the last record. */
  summary(): Summary;
  /** Stops reading: no further record is given. */
  close(): void;
}

/**
 * Opens a capture or a SysFlow file: `for await (const record of openCapture(path))`. Reading begins with the first
 * record asked for, and only a little ahead of it: who takes records slowly slows the engine down. Damage does not
 * throw; it is in the summary. Environment variables have no influence.
 */
export function openCapture(path: string, options: CaptureOptions = {}): Capture {
  if (typeof path !== 'string') throw new SfkitError('INVALID_ARGUMENT', 'the path of a capture must be a string');
  let session: Session<unknown> | undefined;
  let isClosed = false;
  const begin = <Batch>(open: () => Session<Batch>): Session<Batch> => {
    if (session !== undefined)
      throw new SfkitError('INVALID_ARGUMENT', `${path}: it is being read already; open it again`);
    const opened = open();
    session = opened;
    if (isClosed) opened.close();
    return opened;
  };
  const config = { ...options, input: path };
  return {
    async *[Symbol.asyncIterator]() {
      for await (const batch of begin(() => openDatums(config))) {
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
        throw new SfkitError('INVALID_ARGUMENT', `batches: unknown option '${name}'; there are table and rows`);
      }
      const opened = begin(() => openColumns({ ...config, tables: [table], batchRows: rows }));
      // Loaded here: those who take records need not wait for it.
      const { ArrowBatches } = await import('../export/arrow.js');
      const arrow = new ArrowBatches(table);
      for await (const batch of opened) {
        if (isClosed) return;
        yield arrow.encode(batch);
      }
    },
    summary() {
      if (session === undefined) throw new SfkitError('INVALID_ARGUMENT', `${path}: nothing was read yet`);
      return session.summary();
    },
    close() {
      isClosed = true;
      session?.close();
    },
  };
}
