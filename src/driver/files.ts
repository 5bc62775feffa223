import { type ByteSink, openSink } from '../export/sink.js';
import type { ResolvedConfig } from './config.js';

/** Writes .sf files, one after the other where records are rotated; each appears whole under its name. */
export class FileWriter {
  readonly #path: string;
  readonly #rotates: boolean;
  readonly #keeps: boolean;
  #file = -1;
  #begins = 0;
  #name = '';
  #sink: ByteSink | undefined;
  /** The files that are complete, by name. */
  readonly written: string[] = [];

  /** `keeps`: files under way have a name to be found under, and stay if they are never finished. */
  constructor(config: Pick<ResolvedConfig, 'filePath' | 'rotateInterval'>, keeps = false) {
    this.#path = config.filePath;
    this.#rotates = config.rotateInterval > 0;
    this.#keeps = keeps;
  }

  /** Takes the next bytes of file `number`; `begins`: the second of the rotation that began it, 0 for the first. */
  async write(bytes: Uint8Array, number: number, begins: number, firstSecond: number): Promise<void> {
    if (number !== this.#file) {
      await this.close();
      this.#file = number;
      this.#begins = begins || firstSecond;
      this.#name = this.#nextName();
      this.#sink = openSink(this.#name, { keeps: this.#keeps });
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

  #nextName(): string {
    const isDirectory = this.#path.endsWith('/');
    const stem = isDirectory
      ? `${this.#path}${this.#begins}`
      : this.#rotates
        ? `${this.#path}.${this.#begins}`
        : this.#path;
    // An older section of a capture may bring a second back.
    let name = stem;
    for (let count = 1; this.written.includes(name); count++) name = `${stem}-${count}`;
    return name;
  }
}
