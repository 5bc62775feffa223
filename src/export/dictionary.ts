import type { Column, ColumnBatch } from '../engine/batch.js';

/** The strings of one column over all batches, numbered in the order they came. */
export class GrowingDictionary {
  readonly #indexes = new Map<string, number>();

  get size(): number {
    return this.#indexes.size;
  }

  strings(): string[] {
    return [...this.#indexes.keys()];
  }

  /** The column's rows as numbers of strings, and the strings that are new; 0 where there is no value. */
  encode(column: Column, batch: ColumnBatch): { indexes: Int32Array; added: string[] } {
    // Each distinct string of the batch is looked up once.
    const known = new Int32Array(batch.strings.length).fill(-1);
    const indexes = new Int32Array(batch.rows);
    const added: string[] = [];
    for (let row = 0; row < batch.rows; row++) {
      if (!column.isValid(row)) continue;
      const local = column.values[row] as number;
      if (known[local] === -1) known[local] = this.#indexOf(batch.strings[local] as string, added);
      indexes[row] = known[local] as number;
    }
    return { indexes, added };
  }

  #indexOf(text: string, added: string[]): number {
    const found = this.#indexes.get(text);
    if (found !== undefined) return found;
    const index = this.#indexes.size;
    this.#indexes.set(text, index);
    added.push(text);
    return index;
  }
}
