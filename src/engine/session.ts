import { setImmediate as turn } from 'node:timers/promises';
import { loadAddon } from './addon.js';
import { ColumnBatch } from './batch.js';
import type { TableName } from './columns.gen.js';
import { type SessionConfig, toNativeConfig } from './config.js';
import { fromNative, SfkitError } from './errors.js';
import type {
  NativeBytesBatch,
  NativeCompilation,
  NativeDatumBatch,
  NativeRules,
  NativeSession,
  NativeTallyRow,
  NativeUnknownContainer,
} from './native.js';
import type { CaptureSummary, Summary } from './summary.js';
import { beginWork } from './work.js';

export type {
  NativeBytesBatch as BytesBatch,
  NativeColumn as ColumnData,
  NativeCompilation as Compilation,
  NativeDatumBatch as DatumBatch,
  NativeDiagnostic as RuleDiagnostic,
  NativeMoment as Moment,
  NativeRules as Rules,
  NativeTallyRow as TallyRow,
  NativeUnknownContainer as UnknownContainer,
} from './native.js';
export type { Summary } from './summary.js';

/** A run of the engine over one input. Iterate it to the end, or call close(). */
export interface Session<Batch> extends AsyncIterable<Batch> {
  /**
   * Final after the last batch; before that, what is known so far: bytes, events, records and
   * tables.
   */
  summary(): Summary;
  /** Ends the input here: everything read so far is still delivered. */
  stop(): void;
  /** Stops the engine; the iteration ends. */
  close(): void;
  /** For a live capture: unknown containers seen since the last call. */
  takeUnknownContainers(): NativeUnknownContainer[];
  /** With `tallies`: the busiest of each kind since the last call, at most `max` of each. */
  takeBusiest(max: number): NativeTallyRow[];
  /** Adds a container description to a live capture: {"container":{...}}, as in captures. */
  describeContainer(json: string): void;
  /** Adds an event of the Kubernetes API to a live capture: the JSON that captures have. */
  addKubernetesEvent(json: string): void;
}

/** Seconds since 1970 of the first event. Without events: the clock for a live capture, else 0. */
export function firstSecond(session: Session<unknown>, isLive: boolean): number {
  const second = Number(session.summary().tables.startSeconds);
  return second === 0 && isLive ? Math.floor(Date.now() / 1000) : second;
}

/** Opens a capture as a stream of lines, one per event; each item has many complete lines. */
export function openLines(
  config: Omit<SessionConfig, 'output'>,
  start = startNative,
): Session<Uint8Array> {
  return iterate(config, start({ ...config, output: 'lines' }), bytesOf);
}

/**
 * Opens a capture as a stream of JSON lines, one per finding; each item has many complete lines.
 */
export function openFindings(
  config: Omit<SessionConfig, 'output'>,
  start = startNative,
): Session<Uint8Array> {
  return iterate(config, start({ ...config, output: 'findings' }), bytesOf);
}

/** Whether a text is a field that rules can use, with or without transformers. */
export function isRuleField(text: string): boolean {
  return loadAddon().isRuleField(text);
}

/** Compiles rules; returns their properties and diagnostics. */
export function compileRules(rules: NativeRules): NativeCompilation {
  try {
    return loadAddon().compileRules(rules);
  } catch (error) {
    throw fromNative(error);
  }
}

/** Recovers a capture: returns the bytes of a clean capture as a stream. */
export function openRecovered(
  config: Omit<SessionConfig, 'output'>,
  start = startNative,
): Session<Uint8Array> {
  return iterate(config, start({ ...config, output: 'recovered' }), bytesOf);
}

/**
 * Opens an input as a stream of records, many Avro datums per item; `withFiles` adds the bytes of
 * .sf files.
 */
export function openDatums(
  config: Omit<SessionConfig, 'output'>,
  start = startNative,
): Session<NativeDatumBatch | NativeBytesBatch> {
  return iterate(config, start({ ...config, output: 'datums' }), (batch) => {
    if (batch.kind === 'columns')
      throw new SfkitError('UNKNOWN', 'the engine returned columns instead of records');
    return batch;
  });
}

/** What a stream for several outputs has. */
export interface Deliveries {
  tables: readonly TableName[];
  /** Bytes of .sf files, one file for each header. */
  files: boolean;
  /** Single records as Avro datums. */
  datums: boolean;
}

export type RecordBatch = ColumnBatch | NativeBytesBatch | NativeDatumBatch;

/**
 * Frees the memory of a batch whose rows or bytes are written. Otherwise it would wait for the
 * garbage collector. Datums may still be on their way, and are left alone.
 */
export function releaseBatch(batch: RecordBatch): void {
  if (batch instanceof ColumnBatch) loadAddon().releaseBatch(batch.memory);
  else if (batch.kind === 'bytes') loadAddon().releaseBatch(batch);
}

/** Opens an input as a stream for several outputs: its batches are of each kind in `wanted`. */
export function openRecords(
  config: Omit<SessionConfig, 'output' | 'tables' | 'withFiles' | 'withDatums'>,
  { tables, files, datums }: Deliveries,
  start = startNative,
): Session<RecordBatch> {
  const onlyFiles = config.rotateInterval ? 'files' : 'avro';
  const output = tables.length > 0 ? 'columns' : datums ? 'datums' : files ? onlyFiles : 'none';
  const native = start({
    ...config,
    tables: tables.length > 0 ? tables : undefined,
    output,
    withFiles: files && output !== onlyFiles,
    withDatums: datums && output === 'columns',
  });
  return iterate(config, native, (batch) =>
    batch.kind === 'columns' ? new ColumnBatch(batch) : batch,
  );
}

/** Follows the state of an input without output; the stream is empty. */
export function openState(
  config: Omit<SessionConfig, 'output'>,
  start = startNative,
): Session<never> {
  return iterate(config, start({ ...config, output: 'none' }), (batch) => batch as never);
}

/** Reads a capture to its end and counts its contents. */
export async function readInfo(
  config: Omit<SessionConfig, 'output'>,
  start = startNative,
): Promise<CaptureSummary> {
  const native = start({ ...config, output: 'info' });
  for await (const _ of iterate(config, native, (batch) => batch));
  return native.summary();
}

function bytesOf(batch: AnyBatch): Uint8Array {
  if (batch.kind !== 'bytes')
    throw new SfkitError('UNKNOWN', 'the engine returned columns instead of bytes');
  return batch.bytes;
}

/** Opens an input as a stream of column batches, the tables interleaved. */
export function openColumns(
  config: Omit<SessionConfig, 'output'>,
  start = startNative,
): Session<ColumnBatch> {
  return iterate(config, start({ ...config, output: 'columns' }), (batch) => {
    if (batch.kind !== 'columns')
      throw new SfkitError('UNKNOWN', 'the engine returned bytes instead of columns');
    return new ColumnBatch(batch);
  });
}

/** Reads an input to its end, follows the state, and returns only the summary. */
export async function readSummary(
  config: Omit<SessionConfig, 'output'>,
  start = startNative,
): Promise<Summary> {
  const session = iterate(config, start({ ...config, output: 'none' }), (batch) => batch);
  for await (const _ of session);
  return session.summary();
}

export type StartSession = (config: SessionConfig) => NativeSession;

function startNative(config: SessionConfig): NativeSession {
  const native = toNativeConfig(config);
  try {
    return new (loadAddon().Session)(native);
  } catch (error) {
    throw fromNative(error);
  }
}

type AnyBatch = NonNullable<Awaited<ReturnType<NativeSession['next']>>>;

function iterate<Batch>(
  { input, kind, signal }: Pick<SessionConfig, 'input' | 'kind' | 'signal'>,
  native: NativeSession,
  convert: (batch: AnyBatch) => Batch,
): Session<Batch> {
  return {
    summary() {
      const { info: _, ...summary } = native.summary();
      return summary;
    },
    stop: () => native.stop(),
    close: () => native.close(),
    takeUnknownContainers: () => native.takeUnknownContainers(),
    takeBusiest: (max) => native.takeBusiest(max),
    describeContainer: (json) => native.describeContainer(json),
    addKubernetesEvent: (json) => native.addKubernetesEvent(json),
    async *[Symbol.asyncIterator]() {
      const close = () => native.close();
      signal?.addEventListener('abort', close, { once: true });
      const endReading =
        kind === 'live' ? () => {} : beginWork({ input, progress: () => native.progress() });
      try {
        for (;;) {
          signal?.throwIfAborted();
          const batch = await native.next();
          signal?.throwIfAborted();
          if (batch === null) return;
          yield convert(batch);
          // Node.js frees the memory of batches between turns of the event loop. A slow consumer
          // might never let it turn otherwise.
          await turn();
        }
      } catch (error) {
        throw signal?.aborted ? signal.reason : fromNative(error);
      } finally {
        signal?.removeEventListener('abort', close);
        endReading();
        // After the end this does nothing; after a break it stops the engine's thread.
        native.close();
      }
    },
  };
}
