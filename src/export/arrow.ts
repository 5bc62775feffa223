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
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampNanosecond,
  Utf8,
  Vector,
} from 'apache-arrow';
import { type Column, type ColumnBatch, operations } from '../engine/batch.js';
import { type TableColumn, type TableName, tableColumns } from '../engine/columns.gen.js';
import { GrowingDictionary } from './dictionary.js';
import type { ByteSink } from './sink.js';

/** Makes Arrow record batches of one table's batches, without copying numbers. */
export class ArrowBatches {
  readonly schema: Schema;
  readonly #dictionaries = new Map<string, ChunkedDictionary>();

  constructor(table: TableName) {
    this.schema = arrowSchema(table, this.#dictionaries);
  }

  /** The next batch; its dictionaries hold the strings of those before it too. */
  encode(batch: ColumnBatch): RecordBatch {
    const children = batch.columns.map((column, index) => this.#column(column, index, batch));
    const type = new Struct(this.schema.fields);
    return new RecordBatch(this.schema, makeData({ type, length: batch.rows, nullCount: 0, children }));
  }

  #column(column: Column, index: number, batch: ColumnBatch): Data {
    const type = (this.schema.fields[index] as Field).type;
    const common = { length: batch.rows, nullBitmap: column.valid };
    switch (column.type) {
      case 'str': {
        const dictionary = this.#dictionaries.get(column.name) as ChunkedDictionary;
        return dictionary.encode(type as Dictionary<Utf8, Int32>, column, batch);
      }
      case 'bool':
        return makeData({ type: type as Bool, ...common, data: packBits(column.values as Uint8Array, batch.rows) });
      case 'ops':
        return opsData(type as List<Utf8>, column, batch.rows);
      default:
        return makeData({ type: type as Int32, ...common, data: column.values as Int32Array });
    }
  }
}

/**
 * Writes batches of one table as Arrow IPC. A string is written once a file and column: rows hold indexes
 * into a dictionary that later batches add to (delta dictionaries), in the file form as in the stream form.
 */
export class ArrowTableWriter {
  readonly #sink: ByteSink;
  readonly #queue = new ChunkQueue();
  readonly #writer: RecordBatchFileWriter | RecordBatchStreamWriter;
  readonly #batches: ArrowBatches;

  constructor(table: TableName, form: 'file' | 'stream', sink: ByteSink) {
    this.#sink = sink;
    this.#batches = new ArrowBatches(table);
    this.#writer = form === 'file' ? new RecordBatchFileWriter() : new RecordBatchStreamWriter();
    // The queue is the writer's sink; giving the schema now makes a table without rows a valid file too.
    this.#writer.reset(this.#queue, this.#batches.schema);
  }

  /** Writes the schema, so that a table that gets no rows, or is never ended, can be read. */
  begin(): Promise<void> {
    return this.#flush();
  }

  async write(batch: ColumnBatch): Promise<void> {
    this.#writer.write(this.#batches.encode(batch));
    await this.#flush();
  }

  /** Writes the end of the file and closes the sink. */
  async close(): Promise<void> {
    this.#writer.close();
    await this.#flush();
    await this.#sink.close();
  }

  async #flush(): Promise<void> {
    for (const chunk of this.#queue.take()) await this.#sink.write(chunk);
  }
}

function arrowSchema(table: TableName, dictionaries: Map<string, ChunkedDictionary>): Schema {
  const fields = tableColumns[table].map((column, index) => {
    if (column.type === 'str') dictionaries.set(column.name, new ChunkedDictionary());
    return new Field(column.name, arrowType(column, index), column.nullable);
  });
  return new Schema(fields, new Map([['sfkit.table', table]]));
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
      return new List(new Field('item', new Utf8(), false));
    case 'str':
      // Numbered by column: the library would count through the process, and the bytes would differ.
      return new Dictionary(new Utf8(), new Int32(), index);
  }
}

/** The strings of one column so far, in chunks as they were written. */
class ChunkedDictionary {
  readonly #dictionary = new GrowingDictionary();
  readonly #chunks: Data<Utf8>[] = [];

  encode(type: Dictionary<Utf8, Int32>, column: Column, batch: ColumnBatch): Data {
    const { indexes, added } = this.#dictionary.encode(column, batch);
    // The first chunk is there even when empty: readers want a dictionary before the first batch.
    if (added.length > 0 || this.#chunks.length === 0) this.#chunks.push(utf8Data(added));
    const dictionary = new Vector([...this.#chunks]);
    return makeData({ type, length: batch.rows, nullBitmap: column.valid, data: indexes, dictionary });
  }
}

function utf8Data(strings: readonly string[]): Data<Utf8> {
  const valueOffsets = new Int32Array(strings.length + 1);
  const encoded = strings.map((text) => Buffer.from(text));
  for (let index = 0; index < encoded.length; index++) {
    valueOffsets[index + 1] = (valueOffsets[index] as number) + (encoded[index] as Buffer).byteLength;
  }
  const data = new Uint8Array(Buffer.concat(encoded));
  return makeData({ type: new Utf8(), length: strings.length, nullCount: 0, valueOffsets, data });
}

function opsData(type: List<Utf8>, column: Column, rows: number): Data {
  const valueOffsets = new Int32Array(rows + 1);
  const names: string[] = [];
  for (let row = 0; row < rows; row++) {
    if (column.isValid(row)) names.push(...operations(column.values[row] as number));
    valueOffsets[row + 1] = names.length;
  }
  return makeData({ type, length: rows, nullBitmap: column.valid, valueOffsets, child: utf8Data(names) });
}

function packBits(values: Uint8Array, rows: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows / 64) * 8);
  for (let row = 0; row < rows; row++) {
    if (values[row] !== 0) bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
  }
  return bits;
}

/** Keeps what the writer gives until it is taken, so that the writer never runs ahead of the output. */
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
