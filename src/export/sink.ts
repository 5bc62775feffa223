import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { OutputLost, unwritable } from '../engine/errors.js';
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

/** A file that appears whole on close(). */
export function fileSink(target: string, options: PendingOptions = {}): ByteSink {
  const pending = pendingFile(target, options);
  // What stays behind is named, as it holds all until then.
  const sink = plainFileSink(pending.path, options.keeps ? pending.path : target, () => pending.discard());
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

/** A file that shows while it is written; for use below a directory that is itself pending. */
export function plainFileSink(path: string, shownAs = path, onError = () => {}): ByteSink {
  let descriptor: number | undefined;
  const shut = () => {
    const open = descriptor;
    descriptor = undefined;
    if (open !== undefined) closeSync(open);
  };
  const guarded = (action: () => void) => {
    try {
      action();
    } catch (error) {
      shut();
      onError();
      throw unwritable(shownAs, error);
    }
  };
  guarded(() => {
    descriptor = openSync(path, 'w');
  });
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
export function stdoutSink(): ByteSink {
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        process.stdout.write(chunk, (error) => (error ? reject(new OutputLost(error)) : resolve()));
      }),
    close: async () => {},
    discard: () => {},
  };
}

/**
 * A device or pipe, written as it is. It opens with the first write, and in the background: a pipe opens when
 * its reader does, and signals shall be heard meanwhile.
 */
function streamSink(target: string): ByteSink {
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
    // Opened even for nothing: the reader of a pipe waits for its end.
    close: () => guarded(() => begin().then(shut)),
    discard: () => void shut().catch(() => {}),
  };
}

/** Whether a target takes bytes as they come, instead of appearing whole. */
export function isStream(target: string): boolean {
  return target === '-' || lookAt(target).kind === 'stream';
}

/** Where '-' is standard output and everything else a file, device or pipe. */
export function openSink(target: string, options: PendingOptions = {}): ByteSink {
  if (target === '-') return stdoutSink();
  return isStream(target) ? streamSink(target) : fileSink(target, options);
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength; ) done += writeSync(descriptor, bytes, done);
}
