import { withNewName } from './pending.js';
import { type ByteSink, openSink, type SinkOptions } from './sink.js';
import { makeDirectory } from './target.js';

export interface FileWriterConfig {
  /** A file, or a directory if it ends in /. */
  filePath: string;
  /** More than 0: each file is called after the second in which it begins. */
  rotateInterval: number;
}

/** Writes .sf files, one after the other where records are rotated; each appears whole under its name. */
export class FileWriter {
  readonly #path: string;
  readonly #rotates: boolean;
  readonly #options: SinkOptions;
  #file = -1;
  #name = '';
  #sink: ByteSink | undefined;
  /** The files that are complete, by name. */
  readonly written: string[] = [];

  constructor(config: FileWriterConfig, options: SinkOptions = {}) {
    this.#path = config.filePath;
    this.#rotates = config.rotateInterval > 0;
    this.#options = options;
  }

  /** Takes the next bytes of file `number`, which began in the second `begins` since 1970. */
  async write(bytes: Uint8Array, number: number, begins: number | (() => number)): Promise<void> {
    if (number !== this.#file) {
      await this.close();
      this.#file = number;
      this.#sink = await this.#open(typeof begins === 'number' ? begins : begins());
    }
    await this.#sink?.write(bytes);
  }

  /** Ends the file under way. */
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

  async #open(begins: number): Promise<ByteSink> {
    const isDirectory = this.#path.endsWith('/');
    if (isDirectory) makeDirectory(this.#path);
    const open = (name: string, isNew: boolean) => {
      this.#name = name;
      return openSink(name, { ...this.#options, isNew });
    };
    if (!isDirectory && !this.#rotates) return open(this.#path, false);
    return withNewName(isDirectory ? `${this.#path}${begins}` : `${this.#path}.${begins}`, (name) => open(name, true));
  }
}
