import { closeSync, constants, openSync, statSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { OutputLost, OutputUnread, type SfkitError, unwritable } from '../engine/errors.js';
import { publicFile } from './mode.js';
import { type PendingOptions, pendingFile } from './pending.js';
import { lookAt } from './target.js';

/** Takes bytes in order. A write resolves when the sink is ready for the next one. */
export interface ByteSink {
  write(chunk: Uint8Array | string): Promise<void>;
  /** Completes the output and renames it to the target. */
  close(): Promise<void>;
  /** Abandons the output after a failure: nothing stays under its name. */
  discard(): void;
}

export interface SinkOptions extends PendingOptions {
  /**
   * Aborted when the run is ending: from then on, a pipe's reader that takes nothing for some
   * seconds is dropped.
   */
  drainSignal?: AbortSignal | undefined;
}

/** A file that appears complete on close(). */
export function fileSink(target: string, options: SinkOptions = {}): ByteSink {
  const pending = pendingFile(target, options);
  const sink = plainFileSink(pending.path, {
    shownAs: target,
    keptAs: options.keeps ? pending.path : undefined,
    mode: pending.mode,
    onError: () => pending.discard(),
  });
  return {
    write: sink.write,
    async close() {
      await sink.close();
      pending.commit();
    },
    discard() {
      sink.discard();
      pending.discard();
    },
  };
}

interface PlainFileOptions {
  /** Its name in errors. */
  shownAs?: string | undefined;
  /** Its name in errors once it has content that stays. */
  keptAs?: string | undefined;
  /** Permissions, before the umask. */
  mode?: number | undefined;
  onError?: (() => void) | undefined;
}

/** A file that is visible while it is written; for use in a directory that is itself pending. */
export function plainFileSink(
  path: string,
  {
    shownAs = path,
    keptAs = shownAs,
    mode = publicFile,
    onError = () => {},
  }: PlainFileOptions = {},
): ByteSink {
  let descriptor: number | undefined;
  const shut = () => {
    const open = descriptor;
    descriptor = undefined;
    if (open !== undefined) closeSync(open);
  };
  const guarded = (action: () => void, name = keptAs) => {
    try {
      action();
    } catch (error) {
      shut();
      onError();
      throw unwritable(name, error);
    }
  };
  guarded(() => {
    // Exclusive creation never follows a link that someone put there.
    descriptor = openSync(path, 'wx', mode);
  }, shownAs);
  return {
    async write(chunk) {
      // Synchronous on purpose: the engine continues on its own thread, and nothing piles up.
      guarded(() =>
        writeAll(descriptor as number, typeof chunk === 'string' ? Buffer.from(chunk) : chunk),
      );
    },
    async close() {
      guarded(shut);
    },
    discard: shut,
  };
}

/**
 * Standard output. If its reader closes it, the process ends without a message (see
 * src/cli/endings.ts).
 */
export function stdoutSink(drainSignal?: AbortSignal): ByteSink {
  return readerSink({
    shownAs: 'standard output',
    open: async () => process.stdout,
    end: () => {},
    failed: (error) => new OutputLost(error),
    drainSignal,
  });
}

/** Time, in ms, between retryInterval to open a pipe without a reader. */
const retryInterval = 50;

/**
 * A named pipe. The first write opens it and waits for a reader; signals still work during the
 * wait.
 */
function pipeSink(target: string, drainSignal: AbortSignal | undefined): ByteSink {
  const tryToOpen = () => {
    try {
      return openSync(target, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENXIO') return undefined;
      throw error;
    }
  };
  return readerSink({
    shownAs: target,
    async open(late) {
      let fd = tryToOpen();
      for (; fd === undefined && !late.aborted; fd = tryToOpen()) {
        await new Promise((resolve) => setTimeout(resolve, retryInterval));
      }
      if (fd === undefined) throw new OutputUnread(target);
      const pipe = new Socket({ fd, readable: false, writable: true });
      // Each write reports its own error.
      return pipe.on('error', () => {});
    },
    end: (pipe) => pipe.destroy(),
    failed: (error) => unwritable(target, error),
    drainSignal,
  });
}

/** Maximum time, in ms, without progress of a reader once the run is ending. */
const maxStall = 10_000;
/** Bytes per write: each completed write shows that the reader makes progress. */
const portion = 65_536;
const smallPortion = 4096;

interface Reader<Stream> {
  shownAs: string;
  /** `late` is aborted if opening takes too long. */
  open(late: AbortSignal): Promise<Stream>;
  end(stream: Stream): void;
  /** Converts an error of the system to the error to throw. */
  failed(error: unknown): SfkitError;
  drainSignal: AbortSignal | undefined;
}

/** A sink with a reader that may be slow or missing. */
function readerSink<Stream extends Writable>({
  shownAs,
  open,
  end,
  failed,
  drainSignal,
}: Reader<Stream>): ByteSink {
  let stream: Stream | undefined;
  const discard = () => {
    if (stream !== undefined) end(stream);
  };
  /** Runs one step. Once the run is ending, a step may take at most `maxStall`. */
  const withTimeout = async (step: (late: AbortSignal) => Promise<void>) => {
    const late = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const startTimer = () => {
      timer ??= setTimeout(() => late.abort(), maxStall);
    };
    if (drainSignal?.aborted) startTimer();
    else drainSignal?.addEventListener('abort', startTimer, { once: true });
    try {
      await step(late.signal);
    } catch (error) {
      discard();
      throw error instanceof OutputUnread ? error : failed(error);
    } finally {
      clearTimeout(timer);
      drainSignal?.removeEventListener('abort', startTimer);
    }
  };
  const ensureOpen = () =>
    withTimeout(async (late) => {
      stream ??= await open(late);
    });
  const writePart = (part: Uint8Array) =>
    withTimeout(
      (late) =>
        new Promise((resolve, reject) => {
          late.addEventListener('abort', () => reject(new OutputUnread(shownAs)));
          stream?.write(part, (error) => (error ? reject(error) : resolve()));
        }),
    );
  return {
    async write(chunk) {
      await ensureOpen();
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      for (let at = 0; at < bytes.byteLength; ) {
        const size = drainSignal?.aborted ? smallPortion : portion;
        await writePart(bytes.subarray(at, at + size));
        at += size;
      }
    },
    // Opened even without content: a pipe's reader waits for the end.
    async close() {
      await ensureOpen();
      discard();
    },
    discard,
  };
}

/**
 * A device, written to directly. The first write opens it asynchronously, so that signals still
 * work.
 */
function deviceSink(target: string): ByteSink {
  let file: FileHandle | undefined;
  const shut = async () => {
    const opened = file;
    file = undefined;
    await opened?.close();
  };
  const openOnce = async () => {
    file ??= await open(target, constants.O_WRONLY);
    return file;
  };
  const guarded = async (action: () => Promise<void>) => {
    try {
      await action();
    } catch (error) {
      throw unwritable(target, error);
    }
  };
  return {
    write: (chunk) =>
      guarded(async () => {
        const opened = await openOnce();
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
        for (let done = 0; done < bytes.byteLength; )
          done += (await opened.write(bytes, done)).bytesWritten;
      }),
    close: () => guarded(() => openOnce().then(shut)),
    discard: () => void shut().catch(() => {}),
  };
}

/** Whether a target takes bytes as they come instead of appearing complete. */
export function isStream(target: string): boolean {
  return target === '-' || lookAt(target).kind === 'stream';
}

/** Opens a target: '-' is standard output, everything else a file, device or pipe. */
export function openSink(target: string, options: SinkOptions = {}): ByteSink {
  if (target === '-') return stdoutSink(options.drainSignal);
  if (!isStream(target)) return fileSink(target, options);
  const isPipe = statSync(target, { throwIfNoEntry: false })?.isFIFO() === true;
  return isPipe ? pipeSink(target, options.drainSignal) : deviceSink(target);
}

/** Writes all bytes, in as many calls as needed. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength; ) done += writeSync(descriptor, bytes, done);
}
