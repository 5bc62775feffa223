import type { Column, ColumnBatch } from './batch.js';

/** Distinct strings that a dictionary holds at most: as many as DuckDB numbers with two bytes. */
const maxStrings = 65_535;

/** Bytes of text that each dictionary may hold in any case. */
const ownText = 512 * 1024;

/** Bytes of text that all dictionaries of an output may hold beyond that, where rows share the texts. */
const sharedText = 32 * 1024 * 1024;

/** How often a text must be there on average. */
const minSharing = 2;

/** What the dictionaries of one output may hold between them. */
export class TextBudget {
  #left: number;

  constructor(bytes = sharedText) {
    this.#left = bytes;
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}

/** The strings of one column over all batches, numbered in the order they came; as many as there is room for. */
export class GrowingDictionary {
  readonly #indexes = new Map<string, number>();
  readonly #budget: TextBudget;
  #textBytes = 0;
  #rowBytes = 0;

  constructor(budget: TextBudget) {
    this.#budget = budget;
  }

  get size(): number {
    return this.#indexes.size;
  }

  /** Bytes of the strings. */
  get textBytes(): number {
    return this.#textBytes;
  }

  /** Bytes that the strings would have if they were repeated in every row. */
  get rowBytes(): number {
    return this.#rowBytes;
  }

  strings(): string[] {
    return [...this.#indexes.keys()];
  }

  /** The column's rows as numbers of strings, 0 where there is no value; undefined when there is no room for them. */
  encode(column: Column, batch: ColumnBatch): Uint32Array | undefined {
    const { offsets } = batch.encodedStrings;
    // Each distinct string of the batch is looked up once.
    const known = new Int32Array(offsets.length).fill(-1);
    const indexes = new Uint32Array(batch.rows);
    for (let row = 0; row < batch.rows; row++) {
      if (!column.isValid(row)) continue;
      const local = column.values[row] as number;
      const bytes = (offsets[local + 1] as number) - (offsets[local] as number);
      if (known[local] === -1) {
        const index = this.#indexOf(batch.stringAt(local), bytes);
        if (index === undefined) return undefined;
        known[local] = index;
      }
      this.#rowBytes += bytes;
      indexes[row] = known[local] as number;
    }
    return indexes;
  }

  /** Gives its room to others. */
  release(): void {
    this.#budget.giveBack(Math.max(0, this.#textBytes - ownText));
    this.#textBytes = 0;
    this.#indexes.clear();
  }

  #indexOf(text: string, bytes: number): number | undefined {
    const found = this.#indexes.get(text);
    if (found !== undefined) return found;
    const index = this.#indexes.size;
    const shared = Math.max(0, this.#textBytes + bytes - ownText) - Math.max(0, this.#textBytes - ownText);
    if (index === maxStrings) return undefined;
    if (shared > 0 && (this.#rowBytes < minSharing * this.#textBytes || !this.#budget.take(shared))) return undefined;
    this.#textBytes += bytes;
    this.#indexes.set(text, index);
    return index;
  }
}
