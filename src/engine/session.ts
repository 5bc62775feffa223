import { setImmediate as turn } from 'node:timers/promises';
import { loadAddon } from './addon.js';
import { ColumnBatch } from './batch.js';
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

export type {
  NativeBytesBatch as BytesBatch,
  NativeColumn as ColumnData,
  NativeCompilation as Compilation,
  NativeDatumBatch as DatumBatch,
  NativeDiagnostic as RuleDiagnostic,
  NativeRules as Rules,
  NativeTallyRow as TallyRow,
  NativeUnknownContainer as UnknownContainer,
} from './native.js';
export type { Summary } from './summary.js';

/** A run of the engine over one input. Iterate it to the end, or call close(). */
export interface Session<Batch> extends AsyncIterable<Batch> {
  /** Final after the last batch; before that, what is known so far. */
  summary(): Summary;
  /** Ends the input where it is: what was read so far is given to its end. */
  stop(): void;
  /** Stops the engine; the iteration ends. */
  close(): void;
  /** Of a live capture: containers met since the last call of which nothing is known. */
  takeUnknownContainers(): NativeUnknownContainer[];
  /** With `tallies`: the busiest of each kind since the last call. */
  takeBusiest(most: number): NativeTallyRow[];
  /** Puts what is known of a container into a live capture: {"container":{...}} as captures have it. */
  describeContainer(json: string): void;
}

/** Since 1970, of the first event. Of a live capture without any there is no time but the clock's; of others 0. */
export function firstSecond(session: Session<unknown>, isLive: boolean): number {
  const second = Number(session.summary().tables.begins);
  return second === 0 && isLive ? Math.floor(Date.now() / 1000) : second;
}

/** Opens an input as a stream of the bytes of a .sf file. */
export function openAvro(config: Omit<SessionConfig, 'output'>, start = startNative): Session<Uint8Array> {
  return iterate(start({ ...config, output: 'avro' }), config.signal, bytesOf);
}

/** Opens a capture as a stream of lines, one an event; each item holds many whole lines. */
export function openLines(config: Omit<SessionConfig, 'output'>, start = startNative): Session<Uint8Array> {
  return iterate(start({ ...config, output: 'lines' }), config.signal, bytesOf);
}

/** Opens a capture as a stream of lines of JSON, one a finding; each item holds many whole lines. */
export function openFindings(config: Omit<SessionConfig, 'output'>, start = startNative): Session<Uint8Array> {
  return iterate(start({ ...config, output: 'findings' }), config.signal, bytesOf);
}

/** Whether a text is a field of rules, with transformers or without. */
export function isRuleField(text: string): boolean {
  return loadAddon().isRuleField(text);
}

/** What rules are and what is wrong with them. */
export function compileRules(rules: NativeRules): NativeCompilation {
  try {
    return loadAddon().compileRules(rules);
  } catch (error) {
    throw fromNative(error);
  }
}

/** Opens a capture as a stream of the bytes of another one, which holds what could be read of it. */
export function openRecovered(config: Omit<SessionConfig, 'output'>, start = startNative): Session<Uint8Array> {
  return iterate(start({ ...config, output: 'recovered' }), config.signal, bytesOf);
}

/** Opens an input as a stream of records, many Avro datums an item, with the bytes of .sf files between if asked for. */
export function openDatums(
  config: Omit<SessionConfig, 'output'>,
  start = startNative,
): Session<NativeDatumBatch | NativeBytesBatch> {
  return iterate(start({ ...config, output: 'datums' }), config.signal, (batch) => {
    if (batch.kind === 'columns')
      throw new SfkitError('UNKNOWN', 'the engine gave columns where records were asked for');
    return batch;
  });
}

/** Opens an input as a stream of the bytes of .sf files, one file for each header. */
export function openFiles(config: Omit<SessionConfig, 'output'>, start = startNative): Session<NativeBytesBatch> {
  return iterate(start({ ...config, output: 'files' }), config.signal, (batch) => {
    if (batch.kind !== 'bytes') throw new SfkitError('UNKNOWN', 'the engine gave columns where bytes were asked for');
    return batch;
  });
}

/** Follows the state of an input without making anything of it; the stream is empty. */
export function openState(config: Omit<SessionConfig, 'output'>, start = startNative): Session<never> {
  return iterate(start({ ...config, output: 'none' }), config.signal, (batch) => batch as never);
}

/** Reads a capture to its end and counts what it holds. */
export async function readInfo(config: Omit<SessionConfig, 'output'>, start = startNative): Promise<CaptureSummary> {
  const native = start({ ...config, output: 'info' });
  for await (const _ of iterate(native, config.signal, (batch) => batch));
  return native.summary();
}

function bytesOf(batch: AnyBatch): Uint8Array {
  if (batch.kind !== 'bytes') throw new SfkitError('UNKNOWN', 'the engine gave columns where bytes were asked for');
  return batch.bytes;
}

/** Opens an input as a stream of column batches, the tables interleaved. */
export function openColumns(config: Omit<SessionConfig, 'output'>, start = startNative): Session<ColumnBatch> {
  return iterate(start({ ...config, output: 'columns' }), config.signal, (batch) => {
    if (batch.kind !== 'columns') throw new SfkitError('UNKNOWN', 'the engine gave bytes where columns were asked for');
    return new ColumnBatch(batch);
  });
}

/** Reads an input to its end, following the state, and makes nothing but the summary. */
export async function readSummary(config: Omit<SessionConfig, 'output'>, start = startNative): Promise<Summary> {
  const session = iterate(start({ ...config, output: 'none' }), config.signal, (batch) => batch);
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
  native: NativeSession,
  signal: AbortSignal | undefined,
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
    takeBusiest: (most) => native.takeBusiest(most),
    describeContainer: (json) => native.describeContainer(json),
    async *[Symbol.asyncIterator]() {
      const close = () => native.close();
      signal?.addEventListener('abort', close, { once: true });
      try {
        for (;;) {
          signal?.throwIfAborted();
          const batch = await native.next();
          signal?.throwIfAborted();
          if (batch === null) return;
          yield convert(batch);
          // Node.js frees the memory of batches between turns of the event loop. Without this, a slow consumer never
          // lets it turn.
          await turn();
        }
      } catch (error) {
        throw signal?.aborted ? signal.reason : fromNative(error);
      } finally {
        signal?.removeEventListener('abort', close);
        // After the end this does nothing; after a break it stops the engine's thread.
        native.close();
      }
    },
  };
}
