import { withNewName } from './pending.js';
import { type ByteSink, openSink, type SinkOptions } from './sink.js';
import { makeDirectory } from './target.js';

/** Names of the .sf files of an output, as settings of the engine. */
export interface SfNames {
  /** The name in the header of a single file. */
  filename: string;
  /** Start of the names if they have the second at which a file starts. */
  fileNames?: string | undefined;
}

/** Names for a path: a file, a prefix if it rotates, or a directory if it ends in /. */
export function sfNames(path: string, rotateInterval: number): SfNames {
  if (path.endsWith('/')) return { filename: path, fileNames: path };
  return { filename: path, ...(rotateInterval > 0 ? { fileNames: `${path}.` } : {}) };
}

/** Writes .sf files, a new one for each rotation; each gets its name when it is complete. */
export class FileWriter {
  readonly #path: string;
  readonly #names: SfNames;
  readonly #options: SinkOptions;
  #file = -1;
  #name = '';
  #sink: ByteSink | undefined;
  /** Names of complete files. */
  readonly written: string[] = [];

  constructor(path: string, rotateInterval: number, options: SinkOptions = {}) {
    this.#path = path;
    this.#names = sfNames(path, rotateInterval);
    this.#options = options;
  }

  /** Writes the next bytes of file `number`, whose header has `name`. */
  async write(bytes: Uint8Array, number: number, name: string): Promise<void> {
    if (number !== this.#file) {
      await this.close();
      this.#file = number;
      this.#sink = await this.#open(name);
    }
    await this.#sink?.write(bytes);
  }

  /** Completes the current file. */
  async close(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink === undefined) return;
    await sink.close();
    this.written.push(this.#name);
  }

  discard(): void {
    this.#sink?.discard();
    this.#sink = undefined;
  }

  async #open(named: string): Promise<ByteSink> {
    if (this.#path.endsWith('/')) makeDirectory(this.#path);
    const open = (name: string, isNew: boolean) => {
      this.#name = name;
      return openSink(name, { ...this.#options, isNew });
    };
    return this.#names.fileNames === undefined
      ? open(this.#path, false)
      : withNewName(named, (name) => open(name, true));
  }
}
