import { newName } from '../export/pending.js';
import { type ByteSink, openSink, type SinkOptions } from '../export/sink.js';
import { makeDirectory } from '../export/target.js';
import type { ResolvedConfig } from './config.js';

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

  constructor(config: Pick<ResolvedConfig, 'filePath' | 'rotateInterval'>, options: SinkOptions = {}) {
    this.#path = config.filePath;
    this.#rotates = config.rotateInterval > 0;
    this.#options = options;
  }

  /** Takes the next bytes of file `number`, which began in the second `begins` since 1970. */
  async write(bytes: Uint8Array, number: number, begins: number | (() => number)): Promise<void> {
    if (number !== this.#file) {
      await this.close();
      this.#file = number;
      this.#name = this.#nextName(typeof begins === 'number' ? begins : begins());
      this.#sink = openSink(this.#name, this.#options);
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

  #nextName(begins: number): string {
    const isDirectory = this.#path.endsWith('/');
    if (isDirectory) makeDirectory(this.#path);
    else if (!this.#rotates) return this.#path;
    // Names that nobody typed replace nothing.
    return newName(isDirectory ? `${this.#path}${begins}` : `${this.#path}.${begins}`);
  }
}
