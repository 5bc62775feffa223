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
  let descriptor: number | undefined;
  const guarded = (action: () => void) => {
    try {
      action();
    } catch (error) {
      shut();
      pending.discard();
      throw unwritable(target, error);
    }
  };
  const shut = () => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  guarded(() => {
    descriptor = openSync(pending.path, 'w');
  });
  return {
    async write(chunk) {
      // Synchronous on purpose: the engine works on its own thread meanwhile, and nothing piles up.
      guarded(() => writeAll(descriptor as number, typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    },
    async close() {
      guarded(shut);
      pending.commit();
    },
    discard() {
      shut();
      pending.discard();
    },
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
