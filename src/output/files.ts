import { withNewName } from './pending.js';
import { type ByteSink, openSink, type SinkOptions } from './sink.js';
import { makeDirectory } from './target.js';

export interface FileWriterConfig {
  /** A file, or a directory if it ends in /. */
  filePath: string;
  /** More than 0: each file is named after the second in which it starts. */
  rotateInterval: number;
}

/** Writes .sf files, a new one for each rotation; each gets its name when it is complete. */
export class FileWriter {
  readonly #path: string;
  readonly #rotates: boolean;
  readonly #options: SinkOptions;
  #file = -1;
  #name = '';
  #sink: ByteSink | undefined;
  /** Names of complete files. */
  readonly written: string[] = [];

  constructor(config: FileWriterConfig, options: SinkOptions = {}) {
    this.#path = config.filePath;
    this.#rotates = config.rotateInterval > 0;
    this.#options = options;
  }

  /** Writes the next bytes of file `number`, which starts `startSeconds` after 1970. */
  async write(
    bytes: Uint8Array,
    number: number,
    startSeconds: number | (() => number),
  ): Promise<void> {
    if (number !== this.#file) {
      await this.close();
      this.#file = number;
      this.#sink = await this.#open(
        typeof startSeconds === 'number' ? startSeconds : startSeconds(),
      );
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

  async #open(startSeconds: number): Promise<ByteSink> {
    const isDirectory = this.#path.endsWith('/');
    if (isDirectory) makeDirectory(this.#path);
    const open = (name: string, isNew: boolean) => {
      this.#name = name;
      return openSink(name, { ...this.#options, isNew });
    };
    if (!isDirectory && !this.#rotates) return open(this.#path, false);
    return withNewName(
      isDirectory ? `${this.#path}${startSeconds}` : `${this.#path}.${startSeconds}`,
      (name) => open(name, true),
    );
  }
}
