import type { Column, ColumnBatch } from './batch.js';

/** Maximum distinct strings of a dictionary: as many as DuckDB can number with two bytes. */
const maxStrings = 65_535;

/** Bytes of text that each dictionary can always use. */
const ownText = 512 * 1024;

/** Further bytes for all dictionaries of an output together, for texts that rows share. */
const sharedText = 32 * 1024 * 1024;

/** Minimum average number of rows per text to use the shared bytes. */
const minSharing = 2;

/** Limits the text that the dictionaries of one output hold together. */
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

/**
 * The distinct strings of one column over all batches, numbered in order of arrival, within the
 * budget.
 */
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

  get textBytes(): number {
    return this.#textBytes;
  }

  /** Bytes of the column if every row repeated its string. */
  get rowBytes(): number {
    return this.#rowBytes;
  }

  strings(): string[] {
    return [...this.#indexes.keys()];
  }

  /**
   * Encodes the column's rows as string numbers, 0 for a missing value; undefined if the budget is
   * exhausted.
   */
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

  /** Returns its share of the budget. */
  release(): void {
    this.#budget.giveBack(Math.max(0, this.#textBytes - ownText));
    this.#textBytes = 0;
    this.#indexes.clear();
  }

  #indexOf(text: string, bytes: number): number | undefined {
    const found = this.#indexes.get(text);
    if (found !== undefined) return found;
    const index = this.#indexes.size;
    const shared =
      Math.max(0, this.#textBytes + bytes - ownText) - Math.max(0, this.#textBytes - ownText);
    if (index === maxStrings) return undefined;
    if (shared > 0 && (this.#rowBytes < minSharing * this.#textBytes || !this.#budget.take(shared)))
      return undefined;
    this.#textBytes += bytes;
    this.#indexes.set(text, index);
    return index;
  }
}
