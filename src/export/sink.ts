import { closeSync, openSync, writeSync } from 'node:fs';
import { unwritable } from '../engine/errors.js';
import { pendingFile } from './pending.js';

/** Takes bytes in order. A write resolves when the next one is welcome. */
export interface ByteSink {
  write(chunk: Uint8Array | string): Promise<void>;
  /** All was written: the output gets its name. */
  close(): Promise<void>;
  /** Something failed: nothing stays under the name. */
  discard(): void;
}

/** A file that appears whole on close(). */
export function fileSink(target: string): ByteSink {
  const pending = pendingFile(target);
  const sink = plainFileSink(pending.path, target, () => pending.discard());
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

/** Standard output; a reader that went away ends the process quietly (see src/cli/main.ts). */
export function stdoutSink(): ByteSink {
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        process.stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
    close: async () => {},
    discard: () => {},
  };
}

/** Where '-' is standard output and everything else a file. */
export function openSink(target: string): ByteSink {
  return target === '-' ? stdoutSink() : fileSink(target);
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength; ) done += writeSync(descriptor, bytes, done);
}
