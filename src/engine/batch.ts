import {
  openFlagNames,
  opNames,
  type TableColumn,
  type TableName,
  tableColumns,
} from './columns.gen.js';
import { SfkitError } from './errors.js';
import type { NativeColumn, NativeColumnBatch } from './native.js';
import { type EncodedStrings, validUtf8 } from './string-table.js';

/**
 * Rows of one table, by column. Valid as long as it is referenced; strings are decoded on first
 * use.
 */
export class ColumnBatch {
  readonly table: TableName;
  readonly rows: number;
  /** Number of headers before the header of these rows. */
  readonly file: number;
  /** Seconds since 1970 at which this file starts; 0 for the first. */
  readonly startSeconds: number;
  /** The table's columns, including derived ones, in declared order. */
  readonly columns: readonly Column[];
  readonly #native: NativeColumnBatch;
  #strings: readonly string[] | undefined;
  #encoded: EncodedStrings | undefined;

  constructor(native: NativeColumnBatch) {
    const layout: readonly TableColumn[] | undefined = tableColumns[native.table as TableName];
    if (layout === undefined)
      throw new SfkitError(
        'UNKNOWN',
        `the engine returned a batch of unknown table '${native.table}'`,
      );
    this.#native = native;
    this.table = native.table as TableName;
    this.rows = native.rows;
    this.file = native.file;
    this.startSeconds = native.startSeconds;
    this.columns = layout.map(
      (spec) => new Column(spec, native.columns[spec.physical] as NativeColumn, this),
    );
  }

  /** The distinct strings of the batch; bytes that are not UTF-8 become U+FFFD. */
  get strings(): readonly string[] {
    this.#strings ??= decodeStrings(this.#native.strings);
    return this.#strings;
  }

  /** One string, for callers that need few. */
  stringAt(number: number): string {
    if (this.#strings !== undefined) return this.#strings[number] as string;
    const { offsets, bytes } = this.encodedStrings;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return buffer.toString('utf8', offsets[number], offsets[number + 1]);
  }

  /** The memory of the batch, as the engine made it. */
  get memory(): Pick<NativeColumnBatch, 'strings' | 'columns'> {
    return this.#native;
  }

  /** The strings as UTF-8. */
  get encodedStrings(): EncodedStrings {
    this.#encoded ??= validUtf8(this.#native.strings);
    return this.#encoded;
  }

  /** Returns the same rows with `text` in every row of a text column. */
  withText(name: string, text: string): ColumnBatch {
    const spec = tableColumns[this.table].find(
      (column) => column.name === name && column.type === 'str',
    );
    if (spec === undefined)
      throw new SfkitError('UNKNOWN', `table ${this.table} has no text column '${name}'`);
    const { offsets, bytes } = this.#native.strings;
    const added = Buffer.from(text);
    const index = Math.max(0, offsets.length - 1);
    const ends = new Uint32Array(index + 2);
    ends.set(offsets.subarray(0, index + 1));
    ends[index + 1] = (ends[index] as number) + added.length;
    const column = { values: new Uint32Array(this.rows).fill(index), valid: null };
    return new ColumnBatch({
      ...this.#native,
      strings: {
        offsets: ends,
        bytes: new Uint8Array(Buffer.concat([bytes.subarray(0, ends[index]), added])),
      },
      columns: this.#native.columns.with(spec.physical, column),
    });
  }

  column(name: string): Column {
    const found = this.columns.find((column) => column.name === name);
    if (found === undefined)
      throw new SfkitError('UNKNOWN', `table ${this.table} has no column '${name}'`);
    return found;
  }
}

/**
 * A value in JavaScript: 64-bit integers and times (ns since 1970) as bigint, ops and flags as
 * names.
 */
export type CellValue = string | number | bigint | boolean | readonly string[] | null;

/** One column of a batch. */
export class Column {
  readonly name: string;
  readonly type: TableColumn['type'];
  readonly nullable: boolean;
  /** Physical values: indexes into the batch's strings, ns for ts, bits for ops. */
  readonly values: NativeColumn['values'];
  /** Bit i (least significant first) is set if row i has a value; null if all rows have one. */
  readonly valid: Uint8Array | null;
  readonly #batch: ColumnBatch;

  constructor(spec: TableColumn, native: NativeColumn, batch: ColumnBatch) {
    this.name = spec.name;
    this.type = spec.type;
    this.nullable = spec.nullable;
    this.values = native.values;
    this.valid = (spec.type === 'ts' ? native.possible : undefined) ?? native.valid;
    this.#batch = batch;
  }

  isValid(row: number): boolean {
    return this.valid === null || (((this.valid[row >> 3] as number) >> (row & 7)) & 1) === 1;
  }

  get(row: number): CellValue {
    if (!this.isValid(row)) return null;
    const value = this.values[row] as number | bigint;
    switch (this.type) {
      case 'str':
        return this.#batch.strings[value as number] as string;
      case 'bool':
        return value !== 0;
      case 'ops':
      case 'flags':
        return namesOf(this.type)(value as number);
      default:
        return value;
    }
  }
}

const namesOfOperations = remembered((bits) => opNames.filter((_, bit) => (bits >>> bit) & 1));

/** The names of the operations whose bits are set, lowest bit first. */
export function operations(bits: number): readonly string[] {
  return namesOfOperations(bits);
}

/** The lowest bits of open flags: a number, not a set. */
const accessMode = 3;

const namesOfOpenFlags = remembered((bits) =>
  openFlagNames
    .filter(([, flag]) => (flag <= accessMode ? (bits & accessMode) === flag : (bits & flag) !== 0))
    .map(([name]) => name),
);

/** The names of the open flags that are set, lowest bit first. */
export function openFlags(bits: number): readonly string[] {
  return namesOfOpenFlags(bits);
}

/** The names that the bits of a column of lists stand for. */
export function namesOf(type: 'ops' | 'flags'): (bits: number) => readonly string[] {
  return type === 'ops' ? operations : openFlags;
}

function remembered(
  toNames: (bits: number) => readonly string[],
): (bits: number) => readonly string[] {
  const known = new Map<number, readonly string[]>();
  return (bits) => {
    let names = known.get(bits);
    if (names === undefined) {
      names = toNames(bits);
      // Real data has a few dozen combinations; the limit keeps crafted files from filling memory.
      if (known.size < 4096) known.set(bits, names);
    }
    return names;
  };
}

function decodeStrings({ offsets, bytes }: NativeColumnBatch['strings']): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings = new Array<string>(Math.max(0, offsets.length - 1));
  for (let index = 0; index < strings.length; index++) {
    strings[index] = buffer.toString('utf8', offsets[index], offsets[index + 1]);
  }
  return strings;
}
