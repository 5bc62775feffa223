import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pendingFile, scratchDirectory } from './pending.js';
import { isStream, openSink, type SinkOptions } from './sink.js';

/** A file that DuckDB writes by name, and that becomes an output afterwards. */
export interface StagedFile {
  /** Directory for temporary files, next to the output if that is a file. */
  readonly scratch: string;
  /** Where to write. */
  readonly path: string;
  /** Renames the file to the target, or copies it to a stream. */
  commit(): Promise<void>;
  discard(): void;
}

export function stageFile(
  target: string,
  name: string,
  { drainSignal, isPrivate }: SinkOptions = {},
): StagedFile {
  const pending = isStream(target) ? undefined : pendingFile(target, { isPrivate });
  const scratch = scratchDirectory(pending ? dirname(pending.path) : tmpdir(), target);
  const path = join(scratch.path, name);
  const discard = () => {
    scratch.discard();
    pending?.discard();
  };
  return {
    scratch: scratch.path,
    path,
    async commit() {
      if (pending) {
        pending.commit(path);
      } else {
        const sink = openSink(target, { drainSignal });
        for await (const chunk of createReadStream(path)) await sink.write(chunk);
        await sink.close();
      }
      discard();
    },
    discard,
  };
}
