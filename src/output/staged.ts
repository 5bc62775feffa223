import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pendingFile, scratchDirectory } from './pending.js';
import { isStream, openSink, type SinkOptions } from './sink.js';

/** A file that DuckDB writes by its name, to become an output afterwards. */
export interface StagedFile {
  /** For passing files, beside the output where that is a file. */
  readonly scratch: string;
  /** Where to write. */
  readonly path: string;
  /** Gives the file its name, or copies it to where bytes are taken as they come. */
  commit(): Promise<void>;
  discard(): void;
}

export function stageFile(target: string, name: string, { hurry, isPrivate }: SinkOptions = {}): StagedFile {
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
        const sink = openSink(target, { hurry });
        for await (const chunk of createReadStream(path)) await sink.write(chunk);
        await sink.close();
      }
      discard();
    },
    discard,
  };
}
