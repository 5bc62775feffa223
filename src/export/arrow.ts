import {
  AsyncByteQueue,
  Bool,
  type Data,
  type DataType,
  Dictionary,
  Field,
  Int32,
  Int64,
  List,
  makeData,
  RecordBatch,
  type RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampNanosecond,
  Utf8,
  Vector,
} from 'apache-arrow';
import { type Column, type ColumnBatch, namesOf } from '../engine/batch.js';
import {
  schemaVersion,
  type TableColumn,
  type TableName,
  tableColumns,
} from '../engine/columns.gen.js';
import type { TextBudget } from '../engine/dictionary.js';
import { type EncodedStrings, encodeStrings, selectStrings } from '../engine/string-table.js';
import type { ByteSink } from '../output/sink.js';
import { type Block, maxTime, Spool } from '../output/spool.js';
import { ArrowFileWriter } from './arrow-file-writer.js';

export interface ArrowFileOptions {
  /** Path of the scratch file that collects the rows. */
  scratch: string;
  /** Budget shared with other files of the same output. */
  budget?: TextBudget;
}

/** Writes the batches of one table as Arrow IPC. */
export interface ArrowTableWriter {
  write(batch: ColumnBatch): Promise<void>;
  /** Writes the rest and closes the sink. */
  close(): Promise<void>;
  discard(): void;
}

/**
 * The file form. Each text column has one complete dictionary, which every reader supports, or is
 * plain text if it has too many strings for memory. Nothing is written before the end.
 */
export class ArrowTableFile implements ArrowTableWriter {
  readonly #table: TableName;
  readonly #sink: ByteSink;
  readonly #spool: Spool;

  constructor(table: TableName, sink: ByteSink, { scratch, budget }: ArrowFileOptions) {
    this.#table = table;
    this.#sink = sink;
    this.#spool = new Spool(table, scratch, budget === undefined ? {} : { budget });
  }

  async write(batch: ColumnBatch): Promise<void> {
    this.#spool.append(batch);
  }

  async close(): Promise<void> {
    const dictionaries = new Map<string, Vector<Utf8>>();
    for (const { name, type } of this.#spool.columns) {
      const dictionary = type === 'str' ? this.#spool.dictionary(name) : undefined;
      if (dictionary)
        dictionaries.set(name, new Vector([utf8Data(encodeStrings(dictionary.strings()))]));
    }
    const schema = arrowSchema(this.#table, (column) => dictionaries.has(column));
    const output = new IpcOutput(new ArrowFileWriter(), schema, this.#sink);
    for (const block of this.#spool.blocks())
      await output.write(this.#encode(schema, dictionaries, block));
    this.#spool.close();
    await output.close();
  }

  discard(): void {
    this.#spool.close();
  }

  #encode(
    schema: Schema,
    dictionaries: ReadonlyMap<string, Vector<Utf8>>,
    { rows, columns }: Block,
  ): RecordBatch {
    return recordBatch(schema, rows, (spec, type) => {
      const { values, valid, texts } = columns[spec.physical] as Block['columns'][number];
      const nullable = spec.nullable ? valid : null;
      const nullBitmap =
        spec.type === 'ts' ? possibleTimes(values as BigInt64Array, nullable, rows) : nullable;
      if (texts !== undefined)
        return repeatedUtf8(values as Uint32Array, valid, texts, rows, nullBitmap);
      if (spec.type !== 'str') return fixedData(type, spec, { values, valid: nullBitmap }, rows);
      const dictionary = dictionaries.get(spec.name) as Vector<Utf8>;
      return makeData({
        type: type as Dictionary<Utf8, Int32>,
        length: rows,
        nullBitmap,
        data: signed(values),
        dictionary,
      });
    });
  }
}

/**
 * The stream form, readable even if it is truncated. Each batch includes the complete dictionaries
 * that changed; they replace the previous ones.
 */
export class ArrowTableStream implements ArrowTableWriter {
  readonly #output: IpcOutput;
  readonly #batches: ArrowBatches;

  constructor(table: TableName, sink: ByteSink) {
    this.#batches = new ArrowBatches(table);
    this.#output = new IpcOutput(new RecordBatchStreamWriter(), this.#batches.schema, sink);
  }

  /** Writes the schema, so that a table without rows or without an end is readable. */
  begin(): Promise<void> {
    return this.#output.flush();
  }

  write(batch: ColumnBatch): Promise<void> {
    return this.#output.write(this.#batches.encode(batch));
  }

  close(): Promise<void> {
    return this.#output.close();
  }

  discard(): void {}
}

/**
 * Converts one table's batches to Arrow record batches without copying numbers. Each has its own
 * dictionaries.
 */
export class ArrowBatches {
  readonly schema: Schema;
  readonly #dictionaries = new Map<string, { strings: EncodedStrings; vector: Vector<Utf8> }>();

  constructor(table: TableName) {
    this.schema = arrowSchema(table, () => true);
  }

  encode(batch: ColumnBatch): RecordBatch {
    return recordBatch(this.schema, batch.rows, (spec, type, index) => {
      const column = batch.columns[index] as Column;
      return spec.type === 'str'
        ? this.#dictionaryData(type as Dictionary<Utf8, Int32>, column, batch)
        : fixedData(type, spec, column, batch.rows);
    });
  }

  #dictionaryData(type: Dictionary<Utf8, Int32>, column: Column, batch: ColumnBatch): Data {
    const { indexes, used } = renumber(column, batch);
    const strings = selectStrings(batch.encodedStrings, used);
    let dictionary = this.#dictionaries.get(column.name);
    // An unchanged dictionary is not written again.
    if (dictionary === undefined || !sameStrings(dictionary.strings, strings)) {
      dictionary = { strings, vector: new Vector([utf8Data(strings)]) };
      this.#dictionaries.set(column.name, dictionary);
    }
    const { vector } = dictionary;
    return makeData({
      type,
      length: batch.rows,
      nullBitmap: column.valid,
      data: indexes,
      dictionary: vector,
    });
  }
}

/** Connects a writer of the library to a sink. */
class IpcOutput {
  readonly #writer: RecordBatchFileWriter | RecordBatchStreamWriter;
  readonly #queue = new ChunkQueue();
  readonly #sink: ByteSink;

  constructor(
    writer: RecordBatchFileWriter | RecordBatchStreamWriter,
    schema: Schema,
    sink: ByteSink,
  ) {
    this.#writer = writer;
    this.#sink = sink;
    // The queue is the writer's sink. Setting the schema now makes a table without rows a valid
    // file.
    writer.reset(this.#queue, schema);
  }

  async write(batch: RecordBatch): Promise<void> {
    this.#writer.write(batch);
    await this.flush();
  }

  async close(): Promise<void> {
    this.#writer.close();
    await this.flush();
    await this.#sink.close();
  }

  async flush(): Promise<void> {
    for (const chunk of this.#queue.take()) await this.#sink.write(chunk);
  }
}

function arrowSchema(table: TableName, hasDictionary: (column: string) => boolean): Schema {
  const fields = tableColumns[table].map((column, index) => {
    const type =
      column.type === 'str' && !hasDictionary(column.name) ? new Utf8() : arrowType(column, index);
    return new Field(column.name, type, column.nullable);
  });
  return new Schema(
    fields,
    new Map([
      ['sfkit.table', table],
      ['sfkit.schema', String(schemaVersion)],
    ]),
  );
}

function arrowType(column: TableColumn, index: number): DataType {
  switch (column.type) {
    case 'i32':
      return new Int32();
    case 'i64':
      return new Int64();
    case 'bool':
      return new Bool();
    case 'ts':
      return new TimestampNanosecond('UTC');
    case 'ops':
    case 'flags':
      return new List(new Field('item', new Utf8(), false));
    case 'str':
      // Numbered by column: the library would count per process, and the bytes would differ between
      // runs.
      return new Dictionary(new Utf8(), new Int32(), index);
  }
}

function recordBatch(
  schema: Schema,
  rows: number,
  toData: (spec: TableColumn, type: DataType, index: number) => Data,
): RecordBatch {
  const specs = tableColumns[schema.metadata.get('sfkit.table') as TableName];
  const children = schema.fields.map((field, index) =>
    toData(specs[index] as TableColumn, field.type, index),
  );
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children }),
  );
}

/** A column of any type but text. */
function fixedData(
  type: DataType,
  spec: TableColumn,
  { values, valid }: Pick<Column, 'values' | 'valid'>,
  rows: number,
): Data {
  const common = { length: rows, nullBitmap: valid };
  if (spec.type === 'bool')
    return makeData({ type: type as Bool, ...common, data: packBits(values as Uint8Array, rows) });
  if (spec.type === 'ops' || spec.type === 'flags')
    return listData(type as List<Utf8>, namesOf(spec.type), values as Int32Array, valid, rows);
  return makeData({ type: type as Int32, ...common, data: values as Int32Array });
}

/** Renumbers the rows of a text column by the strings that it uses; 0 for a missing value. */
function renumber(column: Column, batch: ColumnBatch): { indexes: Int32Array; used: number[] } {
  const known = new Int32Array(batch.encodedStrings.offsets.length).fill(-1);
  const indexes = new Int32Array(batch.rows);
  const used: number[] = [];
  for (let row = 0; row < batch.rows; row++) {
    if (!column.isValid(row)) continue;
    const number = column.values[row] as number;
    if (known[number] === -1) known[number] = used.push(number) - 1;
    indexes[row] = known[number] as number;
  }
  return { indexes, used };
}

function sameStrings(left: EncodedStrings, right: EncodedStrings): boolean {
  return (
    left.offsets.length === right.offsets.length &&
    Buffer.compare(left.bytes, right.bytes) === 0 &&
    left.offsets.every((offset, index) => offset === right.offsets[index])
  );
}

/** The same values as signed integers: string indexes are below 2^31. */
function signed(values: {
  buffer: ArrayBufferLike;
  byteOffset: number;
  length: number;
}): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}

function utf8Data({ offsets, bytes }: EncodedStrings): Data<Utf8> {
  return makeData({
    type: new Utf8(),
    length: offsets.length - 1,
    nullCount: 0,
    valueOffsets: signed(offsets),
    data: bytes,
  });
}

/**
 * Validity of times: a valid number that is a possible time. The number itself is in another
 * column.
 */
function possibleTimes(
  nanoseconds: BigInt64Array,
  valid: Uint8Array | null,
  rows: number,
): Uint8Array | null {
  const isPossible = (value: bigint) => value >= 0n && value <= maxTime;
  if (nanoseconds.every(isPossible)) return valid;
  const possible = packBits(
    Uint8Array.from(nanoseconds, (value) => (isPossible(value) ? 1 : 0)),
    rows,
  );
  return valid === null ? possible : possible.map((bits, at) => bits & (valid[at] ?? 0));
}

/** Plain text: the texts of all rows, concatenated. */
function repeatedUtf8(
  numbers: Uint32Array,
  valid: Uint8Array,
  { offsets, bytes }: EncodedStrings,
  rows: number,
  nullBitmap: Uint8Array | null,
): Data<Utf8> {
  const valueOffsets = new Int32Array(rows + 1);
  const isValid = (row: number) => (((valid[row >> 3] as number) >> (row & 7)) & 1) === 1;
  for (let row = 0; row < rows; row++) {
    const number = numbers[row] as number;
    const length = isValid(row) ? (offsets[number + 1] as number) - (offsets[number] as number) : 0;
    valueOffsets[row + 1] = (valueOffsets[row] as number) + length;
  }
  const data = new Uint8Array(valueOffsets[rows] as number);
  for (let row = 0; row < rows; row++) {
    const number = numbers[row] as number;
    if (isValid(row))
      data.set(bytes.subarray(offsets[number], offsets[number + 1]), valueOffsets[row]);
  }
  return makeData({ type: new Utf8(), length: rows, nullBitmap, valueOffsets, data });
}

function listData(
  type: List<Utf8>,
  namesOf: (bits: number) => readonly string[],
  values: Int32Array,
  valid: Uint8Array | null,
  rows: number,
): Data {
  const valueOffsets = new Int32Array(rows + 1);
  const names: string[] = [];
  for (let row = 0; row < rows; row++) {
    const isValid = valid === null || (((valid[row >> 3] as number) >> (row & 7)) & 1) === 1;
    if (isValid) names.push(...namesOf(values[row] as number));
    valueOffsets[row + 1] = names.length;
  }
  return makeData({
    type,
    length: rows,
    nullBitmap: valid,
    valueOffsets,
    child: utf8Data(encodeStrings(names)),
  });
}

function packBits(values: Uint8Array, rows: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows / 64) * 8);
  for (let row = 0; row < rows; row++) {
    if (values[row] !== 0) bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
  }
  return bits;
}

/**
 * Buffers the writer's bytes until they are taken, so that the writer never runs ahead of the
 * output.
 */
export class ChunkQueue extends AsyncByteQueue {
  #chunks: Uint8Array[] = [];

  override write(value: Parameters<AsyncByteQueue['write']>[0]): void {
    const bytes = value as Uint8Array;
    if (bytes.byteLength > 0) this.#chunks.push(bytes);
  }

  take(): Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }
}
