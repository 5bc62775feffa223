import { closeSync, constants, openSync, statSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { OutputLost, OutputUnread, type SfkitError, unwritable } from '../engine/errors.js';
import { publicFile } from './mode.js';
import { type PendingOptions, pendingFile } from './pending.js';
import { lookAt } from './target.js';

/** Takes bytes in order. A write resolves when the next one is welcome. */
export interface ByteSink {
  write(chunk: Uint8Array | string): Promise<void>;
  /** All was written: the output gets its name. */
  close(): Promise<void>;
  /** Something failed: nothing stays under the name. */
  discard(): void;
}

export interface SinkOptions extends PendingOptions {
  /** Aborted when the run is to end: a reader of a pipe that takes nothing for some seconds is not waited for any more. */
  hurry?: AbortSignal | undefined;
}

/** A file that appears whole on close(). */
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
  /** What errors call it. */
  shownAs?: string | undefined;
  /** The same once there is something in it, which stays. */
  keptAs?: string | undefined;
  /** Permissions, before the umask. */
  mode?: number | undefined;
  onError?: (() => void) | undefined;
}

/** A file that shows while it is written; for use below a directory that is itself pending. */
export function plainFileSink(
  path: string,
  { shownAs = path, keptAs = shownAs, mode = publicFile, onError = () => {} }: PlainFileOptions = {},
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
    // Anew, and so not through a link that others may have put there.
    descriptor = openSync(path, 'wx', mode);
  }, shownAs);
  return {
    async write(chunk) {
      // Synchronous on purpose: the engine works on its own thread meanwhile, and nothing piles up.
      guarded(() => writeAll(descriptor as number, typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    },
    async close() {
      guarded(shut);
    },
    discard: shut,
  };
}

/** Standard output; a reader that went away ends the process quietly (see src/cli/endings.ts). */
export function stdoutSink(hurry?: AbortSignal): ByteSink {
  return readerSink({
    shownAs: 'standard output',
    open: async () => process.stdout,
    end: () => {},
    failed: (error) => new OutputLost(error),
    hurry,
  });
}

/** ms between attempts to open a pipe that has no reader. */
const attempts = 50;

/** A named pipe. It opens with the first write and when its reader does; signals are heard meanwhile. */
function pipeSink(target: string, hurry: AbortSignal | undefined): ByteSink {
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
        await new Promise((resolve) => setTimeout(resolve, attempts));
      }
      if (fd === undefined) throw new OutputUnread(target);
      const pipe = new Socket({ fd, readable: false, writable: true });
      // Each write is told of its error.
      return pipe.on('error', () => {});
    },
    end: (pipe) => pipe.destroy(),
    failed: (error) => unwritable(target, error),
    hurry,
  });
}

/** ms for which a reader may take nothing once the run is to end. */
const patience = 10_000;
/** Bytes that are handed over at a time: each time shows that the reader takes something. */
const portion = 65_536;
const smallPortion = 4096;

interface Reader<Stream> {
  shownAs: string;
  /** `late` is aborted when it takes too long. */
  open(late: AbortSignal): Promise<Stream>;
  end(stream: Stream): void;
  /** What is thrown for an error of the system. */
  failed(error: unknown): SfkitError;
  hurry: AbortSignal | undefined;
}

/** What somebody reads, who may be slow or not there. */
function readerSink<Stream extends Writable>({ shownAs, open, end, failed, hurry }: Reader<Stream>): ByteSink {
  let stream: Stream | undefined;
  const discard = () => {
    if (stream !== undefined) end(stream);
  };
  /** Runs one step. Once the run is to end it may take no longer than `patience`. */
  const patiently = async (step: (late: AbortSignal) => Promise<void>) => {
    const late = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const begin = () => {
      timer ??= setTimeout(() => late.abort(), patience);
    };
    if (hurry?.aborted) begin();
    else hurry?.addEventListener('abort', begin, { once: true });
    try {
      await step(late.signal);
    } catch (error) {
      discard();
      throw error instanceof OutputUnread ? error : failed(error);
    } finally {
      clearTimeout(timer);
      hurry?.removeEventListener('abort', begin);
    }
  };
  const begun = () =>
    patiently(async (late) => {
      stream ??= await open(late);
    });
  const give = (part: Uint8Array) =>
    patiently(
      (late) =>
        new Promise((resolve, reject) => {
          late.addEventListener('abort', () => reject(new OutputUnread(shownAs)));
          stream?.write(part, (error) => (error ? reject(error) : resolve()));
        }),
    );
  return {
    async write(chunk) {
      await begun();
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      for (let at = 0; at < bytes.byteLength; ) {
        const size = hurry?.aborted ? smallPortion : portion;
        await give(bytes.subarray(at, at + size));
        at += size;
      }
    },
    // Opened even for nothing: the reader of a pipe waits for its end.
    async close() {
      await begun();
      discard();
    },
    discard,
  };
}

/** A device, written as it is. It opens with the first write, and in the background, so that signals are heard. */
function deviceSink(target: string): ByteSink {
  let file: FileHandle | undefined;
  const shut = async () => {
    const opened = file;
    file = undefined;
    await opened?.close();
  };
  const begin = async () => {
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
        const opened = await begin();
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
        for (let done = 0; done < bytes.byteLength; ) done += (await opened.write(bytes, done)).bytesWritten;
      }),
    close: () => guarded(() => begin().then(shut)),
    discard: () => void shut().catch(() => {}),
  };
}

/** Whether a target takes bytes as they come, instead of appearing whole. */
export function isStream(target: string): boolean {
  return target === '-' || lookAt(target).kind === 'stream';
}

/** Where '-' is standard output and everything else a file, device or pipe. */
export function openSink(target: string, options: SinkOptions = {}): ByteSink {
  if (target === '-') return stdoutSink(options.hurry);
  if (!isStream(target)) return fileSink(target, options);
  const isPipe = statSync(target, { throwIfNoEntry: false })?.isFIFO() === true;
  return isPipe ? pipeSink(target, options.hurry) : deviceSink(target);
}

/** Writes all bytes, in as many steps as it takes. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength; ) done += writeSync(descriptor, bytes, done);
}
