import { closeSync, openSync, readSync } from 'node:fs';
import type { Column, ColumnBatch } from '../engine/batch.js';
import { type TableColumn, type TableName, tableColumns } from '../engine/columns.gen.js';
import { GrowingDictionary, TextBudget } from '../engine/dictionary.js';
import { type EncodedStrings, encodeStrings } from '../engine/string-table.js';
import { privateFile } from './mode.js';
import { writeAll } from './sink.js';

/** The last time in nanoseconds since 1970; DuckDB reads the next value as infinity. */
export const maxTime = 2n ** 63n - 2n;

/** Bytes of one value in the file; strings are 4-byte numbers. */
const valueBytes = { i32: 4, i64: 8, str: 4, bool: 1, ops: 4, flags: 4, ts: 8 } as const;

/** Maximum bytes of text in the rows of a block, counted per row; a block has at least 8 rows. */
const maxBlockText = 4 * 1024 * 1024;

/** The columns whose values a batch holds, in order. */
export function physicalColumns(name: TableName): readonly TableColumn[] {
  return tableColumns[name].filter((column) => !column.derived);
}

export interface SpoolOptions {
  /** Maximum rows of a block, a multiple of 64. Blocks never span batches. */
  blockRows?: number;
  /** Budget shared with other spools of the same output. */
  budget?: TextBudget;
  /** Physical columns to keep. Default: all. */
  columns?: readonly string[] | undefined;
}

/** Rows read back from the file. The next block overwrites the arrays. */
export interface Block {
  rows: number;
  /** Physical columns to keep. */
  columns: BlockColumn[];
}

export interface BlockColumn {
  values: Uint8Array | Int32Array | Uint32Array | BigInt64Array;
  /** Bit i (least significant first) is set if row i has a value; padded to 64 bits. */
  valid: Uint8Array;
  /** For a text column without a dictionary: the texts that its numbers refer to. */
  texts?: EncodedStrings;
}

/** Position of strings in the file. */
interface StringsPlace {
  position: number;
  count: number;
  bytes: number;
}

interface BlockPlace {
  position: number;
  rows: number;
  /** The strings of its batch, if a column needs them. */
  texts: StringsPlace | undefined;
}

/**
 * Collects the rows of one table in a file. Text columns with few distinct strings have one
 * dictionary in memory. A column that outgrows its dictionary keeps the numbers of its batches, and
 * the strings go into the file. So memory holds one batch and the dictionaries, whatever the number
 * of rows.
 */
export class Spool {
  readonly table: TableName;
  readonly columns: readonly TableColumn[];
  readonly #blockRows: number;
  readonly #dictionaries = new Map<string, GrowingDictionary>();
  /** Dictionaries of columns that outgrew them, and the first block without a dictionary. */
  readonly #outgrown = new Map<string, { texts: StringsPlace; block: number }>();
  readonly #blocks: BlockPlace[] = [];
  readonly #block = new GrowingBuffer();
  #rows = 0;
  #position = 0;
  #descriptor: number | undefined;

  constructor(
    table: TableName,
    path: string,
    { blockRows = 65_536, budget = new TextBudget(), columns }: SpoolOptions = {},
  ) {
    this.table = table;
    this.columns = physicalColumns(table).filter(({ name }) => columns?.includes(name) ?? true);
    this.#blockRows = blockRows;
    for (const { name, type } of this.columns)
      if (type === 'str') this.#dictionaries.set(name, new GrowingDictionary(budget));
    this.#descriptor = openSync(path, 'wx+', privateFile);
  }

  get rows(): number {
    return this.#rows;
  }

  /** The strings of a text column; undefined if it outgrew its dictionary. */
  dictionary(column: string): GrowingDictionary | undefined {
    return this.#dictionaries.get(column);
  }

  append(batch: ColumnBatch): void {
    const parts = this.columns
      .map(({ name }) => batch.column(name))
      .map((column) => ({
        column,
        values: this.#values(column, batch),
        bytes: valueBytes[column.type],
      }));
    const texts = this.#outgrown.size > 0 ? this.#writeStrings(batch.encodedStrings) : undefined;
    for (const { start, rows } of cutBlocks(batch, this.#blockRows)) {
      const block = this.#block.take(blockBytes(this.columns, rows)).fill(0);
      let offset = 0;
      for (const { column, values, bytes } of parts) {
        block.set(
          new Uint8Array(values.buffer, values.byteOffset + start * bytes, rows * bytes),
          offset,
        );
        offset += padded(rows * bytes);
        if (column.valid === null) block.fill(0xff, offset, offset + validityBytes(rows));
        else block.set(column.valid.subarray(start >> 3, (start + rows + 7) >> 3), offset);
        offset += validityBytes(rows);
      }
      this.#blocks.push({ position: this.#write(block), rows, texts });
    }
    this.#rows += batch.rows;
  }

  /** All rows in order of arrival. */
  *blocks(): Generator<Block, void, undefined> {
    let place: StringsPlace | undefined;
    let texts: EncodedStrings | undefined;
    // Reused, because waiting for the garbage collector takes many times the memory.
    const blockBuffer = new GrowingBuffer();
    const textBuffer = new GrowingBuffer();
    const early = new Map<string, EncodedStrings>();
    for (const [name, { texts, block }] of this.#outgrown)
      if (block > 0) early.set(name, this.#readStrings(texts, new GrowingBuffer()));
    for (const [index, block] of this.#blocks.entries()) {
      if (block.texts !== place) {
        place = block.texts;
        texts = place && this.#readStrings(place, textBuffer);
      }
      const bytes = blockBuffer.take(blockBytes(this.columns, block.rows));
      this.#read(bytes, block.position);
      let offset = 0;
      const columns = this.columns.map((column) => {
        const values = typed(column, bytes.buffer as ArrayBuffer, offset, block.rows);
        offset += padded(block.rows * valueBytes[column.type]);
        const valid = bytes.subarray(offset, offset + validityBytes(block.rows));
        offset += validityBytes(block.rows);
        const outgrown = this.#outgrown.get(column.name);
        if (outgrown === undefined) return { values, valid };
        if (index === outgrown.block) early.delete(column.name);
        return {
          values,
          valid,
          texts: (index < outgrown.block ? early.get(column.name) : texts) as EncodedStrings,
        };
      });
      yield { rows: block.rows, columns };
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #values(column: Column, batch: ColumnBatch): Column['values'] {
    const dictionary = this.#dictionaries.get(column.name);
    if (dictionary === undefined) return column.values;
    const indexes = dictionary.encode(column, batch);
    if (indexes !== undefined) return indexes;
    const texts = this.#writeStrings(encodeStrings(dictionary.strings()));
    this.#outgrown.set(column.name, { texts, block: this.#blocks.length });
    this.#dictionaries.delete(column.name);
    dictionary.release();
    return column.values;
  }

  #writeStrings({ offsets, bytes }: EncodedStrings): StringsPlace {
    const position = this.#write(
      new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength),
    );
    this.#write(bytes);
    return { position, count: offsets.length - 1, bytes: bytes.byteLength };
  }

  #readStrings({ position, count, bytes }: StringsPlace, buffer: GrowingBuffer): EncodedStrings {
    const all = buffer.take((count + 1) * 4 + bytes);
    this.#read(all, position);
    return {
      offsets: new Uint32Array(all.buffer, 0, count + 1),
      bytes: all.subarray((count + 1) * 4),
    };
  }

  #write(bytes: Uint8Array): number {
    const position = this.#position;
    writeAll(this.#descriptor as number, bytes);
    this.#position += bytes.byteLength;
    return position;
  }

  #read(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.byteLength; ) {
      const count = readSync(
        this.#descriptor as number,
        bytes,
        done,
        bytes.byteLength - done,
        position + done,
      );
      if (count === 0) throw new Error(`the scratch file of table ${this.table} is truncated`);
      done += count;
    }
  }
}

/** A reusable buffer, replaced when it is too small. */
class GrowingBuffer {
  #buffer = new Uint8Array();

  take(length: number): Uint8Array {
    if (this.#buffer.byteLength < length)
      this.#buffer = new Uint8Array(Math.max(length, 1.5 * this.#buffer.byteLength));
    return this.#buffer.subarray(0, length);
  }
}

/**
 * Splits a batch into blocks. Each starts at a multiple of 8 rows, where a byte of validity bits
 * starts.
 */
function* cutBlocks(
  batch: ColumnBatch,
  blockRows: number,
): Generator<{ start: number; rows: number }> {
  const text = rowText(batch, Math.min(batch.rows, blockRows));
  for (let start = 0; start < batch.rows; ) {
    let end = Math.min(batch.rows, start + blockRows);
    if (text !== undefined) {
      let bytes = 0;
      for (let row = start; row < end; row++) {
        bytes += text[row] as number;
        const eights = start + Math.max(8, (row - start) & ~7);
        if (bytes > maxBlockText && row >= eights) end = eights;
      }
    }
    yield { start, rows: end - start };
    start = end;
  }
}

/** Bytes of text in each row; undefined if this number of rows cannot exceed the limit. */
function rowText(batch: ColumnBatch, rows: number): Float64Array | undefined {
  const { offsets } = batch.encodedStrings;
  const columns = batch.columns.filter((column) => column.type === 'str');
  let longest = 0;
  for (let index = 0; index + 1 < offsets.length; index++)
    longest = Math.max(longest, (offsets[index + 1] as number) - (offsets[index] as number));
  if (longest * columns.length * rows <= maxBlockText) return undefined;
  const text = new Float64Array(batch.rows);
  for (const column of columns) {
    for (let row = 0; row < batch.rows; row++) {
      if (!column.isValid(row)) continue;
      const index = column.values[row] as number;
      text[row] =
        (text[row] as number) + (offsets[index + 1] as number) - (offsets[index] as number);
    }
  }
  return text;
}

function typed(
  { type }: TableColumn,
  buffer: ArrayBuffer,
  offset: number,
  rows: number,
): BlockColumn['values'] {
  if (type === 'str') return new Uint32Array(buffer, offset, rows);
  if (type === 'bool') return new Uint8Array(buffer, offset, rows);
  return valueBytes[type] === 8
    ? new BigInt64Array(buffer, offset, rows)
    : new Int32Array(buffer, offset, rows);
}

function blockBytes(columns: readonly TableColumn[], rows: number): number {
  return columns.reduce(
    (sum, column) => sum + padded(rows * valueBytes[column.type]) + validityBytes(rows),
    0,
  );
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function validityBytes(rows: number): number {
  return Math.ceil(rows / 64) * 8;
}
