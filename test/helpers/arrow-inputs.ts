import {
  Binary,
  Bool,
  CompressionType,
  compressionRegistry,
  type Data,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  DenseUnion,
  Dictionary,
  DurationMillisecond,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float64,
  Int8,
  Int32,
  IntervalDayTime,
  IntervalMonthDayNano,
  IntervalYearMonth,
  LargeUtf8,
  List,
  Map_,
  makeData,
  Null,
  type RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  SparseUnion,
  Struct,
  Table,
  TimeNanosecond,
  TimeSecond,
  TimestampNanosecond,
  Uint64,
  Utf8,
  Utf8View,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { BufferRegion } from 'apache-arrow/ipc/metadata/message';
// Registers the codecs.
import '../../src/query/arrow-input.js';
import { lz4Compress, zstdCompress } from './compressed.js';

// Arrow files and streams like those of other writers.

const codecs = { lz4: CompressionType.LZ4_FRAME, zstd: CompressionType.ZSTD };
for (const [codec, encode] of [
  [codecs.lz4, lz4Compress],
  [codecs.zstd, zstdCompress],
] as const) {
  compressionRegistry.set(codec, { ...compressionRegistry.get(codec), encode });
}

export interface Writing {
  form?: 'file' | 'stream';
  codec?: keyof typeof codecs | undefined;
  /** The shorter message headers from before version 0.15. */
  legacy?: boolean;
}

interface Body {
  byteLength: number;
  bufferRegions: BufferRegion[];
  buffers: Uint8Array[];
}

/**
 * Compresses as the format specifies: the library's own method announces the compressed size of a
 * buffer.
 */
function compressed(codec: CompressionType, buffers: readonly ArrayBufferView[]): Body {
  const body: Body = { byteLength: 0, bufferRegions: [], buffers: [] };
  for (const buffer of buffers) {
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    const encoded = compressionRegistry.get(codec)?.encode?.(bytes) as Uint8Array;
    const isSmaller = encoded.length < bytes.length;
    const head = Buffer.alloc(bytes.length === 0 ? 0 : 8);
    if (head.length > 0) head.writeBigInt64LE(isSmaller ? BigInt(bytes.length) : -1n);
    const kept = isSmaller ? encoded : bytes;
    body.bufferRegions.push(new BufferRegion(body.byteLength, head.length + kept.length));
    body.buffers.push(head, kept);
    body.byteLength += 8 * Math.ceil((head.length + kept.length) / 8);
  }
  return body;
}

/** An Arrow file or stream of batches, which can have their own dictionaries. */
export function arrowBytes(
  batches: readonly RecordBatch[],
  { form, codec, legacy }: Writing = {},
): Uint8Array {
  const Writer = form === 'file' ? RecordBatchFileWriter : RecordBatchStreamWriter;
  const type = codec === undefined ? null : codecs[codec];
  const writer = new Writer({ compressionType: type, writeLegacyIpcFormat: legacy ?? false });
  if (type !== null) {
    Object.assign(writer, {
      _compressBodyBuffers: (buffers: ArrayBufferView[]) => compressed(type, buffers),
    });
  }
  for (const batch of batches) writer.write(batch);
  writer.close();
  return writer.toUint8Array(true);
}

/** An Arrow file or stream of one table of columns. */
export function arrowOf(columns: Record<string, Vector>, writing: Writing = {}): Uint8Array {
  return arrowBytes([batchOf(columns)], writing);
}

export function batchOf(columns: Record<string, Vector>): RecordBatch {
  return new Table(columns).batches[0] as RecordBatch;
}

export function column(data: Data): Vector {
  return new Vector([data]);
}

/** A column of texts; `id` identifies its dictionary. */
export function texts(values: readonly (string | null)[], id: number): Vector {
  return vectorFromArray(values, new Dictionary(new Utf8(), new Int32(), id));
}

/** A column whose rows are any indexes into a dictionary. */
export function places(dictionary: Vector, rows: Int32Array | Int8Array, id = 1): Vector {
  const type = new Dictionary(
    dictionary.type,
    rows instanceof Int8Array ? new Int8() : new Int32(),
    id,
  );
  return column(
    makeData({ type, length: rows.length, nullCount: 0, data: rows, dictionary } as never),
  );
}

const item = (type: DataType) => new Field('item', type);

function views(texts: readonly string[]): Vector {
  const bytes = new Uint8Array(16 * texts.length);
  const buffer = Buffer.from(bytes.buffer);
  let far = '';
  for (const [row, text] of texts.entries()) {
    buffer.writeInt32LE(text.length, 16 * row);
    buffer.write(text.slice(0, 12), 16 * row + 4);
    if (text.length <= 12) continue;
    buffer.writeInt32LE(0, 16 * row + 8);
    buffer.writeInt32LE(far.length, 16 * row + 12);
    far += text;
  }
  const type = new Utf8View();
  return column(
    makeData({
      type,
      length: texts.length,
      views: bytes,
      variadicBuffers: [Buffer.from(far)],
    } as never),
  );
}

/** A column of each type, and its three rows as SQL shows them. */
export function everyType(): Record<string, [Vector, (string | null)[]]> {
  const fixed = (type: DataType, data: unknown) =>
    column(makeData({ type, length: 3, nullCount: 0, data } as never));
  const members = [new Field('a', new Int32()), new Field('b', new Utf8())];
  const numbers = (...values: number[]) => vectorFromArray(values, new Int32()).data[0] as Data;
  const words = (...values: string[]) => vectorFromArray(values, new Utf8()).data[0] as Data;
  const union = (type: DataType, children: Data[], valueOffsets?: Int32Array) =>
    column(
      makeData({
        type,
        length: 3,
        typeIds: Int8Array.of(0, 5, 0),
        valueOffsets,
        children,
      } as never),
    );
  const entries = new Struct<never>([
    new Field('key', new Utf8(), false),
    new Field('value', new Int32()),
  ] as never);
  return {
    byte: [vectorFromArray([-128, null, 127], new Int8()), ['-128', null, '127']],
    long: [
      vectorFromArray([0n, null, 2n ** 64n - 1n], new Uint64()),
      ['0', null, '18446744073709551615'],
    ],
    half: [fixed(new Float16(), Uint16Array.of(0x3c00, 0xfc00, 0)), ['1.0', '-inf', '0.0']],
    double: [vectorFromArray([0.1, null, -0], new Float64()), ['0.1', null, '-0.0']],
    flag: [vectorFromArray([true, null, false], new Bool()), ['true', null, 'false']],
    bytes: [
      vectorFromArray([Uint8Array.of(1, 0), null, Uint8Array.of()], new Binary()),
      ['\\x01\\x00', null, ''],
    ],
    two: [
      vectorFromArray([Uint8Array.of(1, 0), null, Uint8Array.of(2, 3)], new FixedSizeBinary(2)),
      ['\\x01\\x00', null, '\\x02\\x03'],
    ],
    day: [
      fixed(new DateDay(), Int32Array.of(0, 1, -1)),
      ['1970-01-01', '1970-01-02', '1969-12-31'],
    ],
    date: [
      fixed(new DateMillisecond(), BigInt64Array.of(0n, 86_400_000n, -1n)),
      ['1970-01-01 00:00:00', '1970-01-02 00:00:00', '1969-12-31 23:59:59.999'],
    ],
    moment: [
      fixed(new TimestampNanosecond('UTC'), BigInt64Array.of(0n, 1n, -1n)),
      ['1970-01-01 00:00:00', '1970-01-01 00:00:00.000000001', '1969-12-31 23:59:59.999999999'],
    ],
    second: [
      fixed(new TimeSecond(), Int32Array.of(0, 86_400, 1)),
      ['00:00:00', '24:00:00', '00:00:01'],
    ],
    nano: [
      fixed(new TimeNanosecond(), BigInt64Array.of(0n, 86_399_999_999_999n, 1000n)),
      ['00:00:00', '23:59:59.999999', '00:00:00.000001'],
    ],
    duration: [
      fixed(new DurationMillisecond(), BigInt64Array.of(0n, 1n, -1n)),
      ['00:00:00', '00:00:00.001', '-00:00:00.001'],
    ],
    months: [
      fixed(new IntervalYearMonth(), Int32Array.of(1, 14, -1)),
      ['1 month', '1 year 2 months', '-1 month'],
    ],
    days: [
      fixed(new IntervalDayTime(), Int32Array.of(1, 1500, 0, 0, -1, 0)),
      ['1 day 00:00:01.5', '00:00:00', '-1 day'],
    ],
    interval: [
      fixed(new IntervalMonthDayNano(), Int32Array.of(1, 2, 3000, 0, 0, 0, 0, 0, 0, 0, -1000, -1)),
      ['1 month 2 days 00:00:00.000003', '00:00:00', '-00:00:00.000001'],
    ],
    decimal: [
      fixed(new Decimal(2, 5, 128), Uint32Array.of(12_345, 0, 0, 0, ~0, ~0, ~0, ~0, 0, 0, 0, 0)),
      ['123.45', '-0.01', '0.00'],
    ],
    list: [
      vectorFromArray([[1, null], null, []], new List(item(new Int32()))),
      ['[1, NULL]', null, '[]'],
    ],
    pair: [
      vectorFromArray([[1, 2], null, [3, 4]], new FixedSizeList(2, item(new Int32()))),
      ['[1, 2]', null, '[3, 4]'],
    ],
    record: [
      vectorFromArray([{ a: 1, b: 'x' }, null, { a: null, b: null }], new Struct(members)),
      ["{'a': 1, 'b': x}", null, "{'a': NULL, 'b': NULL}"],
    ],
    map: [
      vectorFromArray(
        [{ a: 1, b: 2 }, null, {}],
        new Map_(new Field('entries', entries as never, false)),
      ),
      ['{a=1, b=2}', null, '{}'],
    ],
    nested: [
      vectorFromArray(
        [[{ a: 1, b: 'x' }, null], null, [{ a: null, b: 'long text in a list' }]],
        new List(
          item(
            new Struct([
              members[0] as Field,
              new Field('b', new Dictionary(new Utf8(), new Int32(), 9)),
            ]),
          ),
        ),
      ),
      ["[{'a': 1, 'b': x}, NULL]", null, "[{'a': NULL, 'b': long text in a list}]"],
    ],
    text: [vectorFromArray(['', null, 'é\u{10ffff}'], new Utf8()), ['', null, 'é\u{10ffff}']],
    large: [
      vectorFromArray(['a', null, 'a text that is longer'], new LargeUtf8()),
      ['a', null, 'a text that is longer'],
    ],
    view: [views(['short', 'a view of far text', '']), ['short', 'a view of far text', '']],
    member: [texts(['x', null, 'y'], 7), ['x', null, 'y']],
    number: [
      vectorFromArray([5, null, 6], new Dictionary(new Int32(), new Int8(), 8)),
      ['5', null, '6'],
    ],
    nothing: [column(makeData({ type: new Null(), length: 3 })), [null, null, null]],
    dense: [
      union(new DenseUnion([0, 5], members), [numbers(7, 8), words('u')], Int32Array.of(0, 0, 1)),
      ['7', 'u', '8'],
    ],
    sparse: [
      union(new SparseUnion([0, 5], members), [numbers(7, 8, 9), words('u', 'v', 'w')]),
      ['7', 'v', '9'],
    ],
  };
}

/** Replaces each occurrence of one number in the bytes by another. */
export function replaced(
  bytes: Uint8Array,
  from: number,
  to: number | bigint,
  width: 4 | 8 = 8,
): Uint8Array {
  const copy = Buffer.from(bytes);
  const [old, wanted] = [Buffer.alloc(width), Buffer.alloc(width)];
  for (const [buffer, value] of [
    [old, from],
    [wanted, to],
  ] as const) {
    if (width === 8) buffer.writeBigInt64LE(BigInt(value));
    else buffer.writeInt32LE(Number(value));
  }
  let found = 0;
  for (let at = 0; at + width <= copy.length; at += 4) {
    if (!copy.subarray(at, at + width).equals(old)) continue;
    wanted.copy(copy, at);
    found += 1;
  }
  if (found === 0) throw new Error(`${from} is nowhere`);
  return copy;
}
