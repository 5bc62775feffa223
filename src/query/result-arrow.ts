import {
  type DuckDBBlobValue,
  type DuckDBDateValue,
  type DuckDBDecimalType,
  type DuckDBDecimalValue,
  type DuckDBListType,
  type DuckDBListValue,
  type DuckDBMapType,
  type DuckDBMapValue,
  type DuckDBStructType,
  type DuckDBStructValue,
  type DuckDBTimeNSValue,
  type DuckDBTimestampMillisecondsValue,
  type DuckDBTimestampNanosecondsValue,
  type DuckDBTimestampSecondsValue,
  type DuckDBTimestampValue,
  type DuckDBTimeValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api';
import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  Map_,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimeMicrosecond,
  TimeNanosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow';
import { ChunkQueue } from '../export/arrow.js';
import { ArrowFileWriter } from '../export/arrow-file-writer.js';
import type { ByteSink } from '../output/sink.js';
import { columnValues, readingType } from './columns.js';
import type { StagedResult } from './result-stage.js';

/** Writes a staged result as Arrow IPC, one batch per chunk. */
export async function writeArrow(
  { connection, select }: StagedResult,
  form: 'file' | 'stream',
  sink: ByteSink,
): Promise<void> {
  const result = await connection.stream(select);
  const types = result.columnTypes();
  const reading = types.map(readingType);
  const columns = types.map(arrowColumn);
  const fields = result
    .columnNames()
    .map((name, index) => new Field(name, (columns[index] as ArrowColumn).type, true));
  const schema = new Schema(fields);
  const writer = form === 'file' ? new ArrowFileWriter() : new RecordBatchStreamWriter();
  const queue = new ChunkQueue();
  writer.reset(queue, schema);
  const flush = async () => {
    for (const bytes of queue.take()) await sink.write(bytes);
  };
  const write = async (values: readonly DuckDBValue[][], rows: number): Promise<void> => {
    const children = columns.map((column, index) => column.data(values[index] as DuckDBValue[]));
    if (children.every((data): data is Data => data !== undefined)) {
      writer.write(
        new RecordBatch(
          schema,
          makeData({ type: new Struct(fields), length: rows, nullCount: 0, children }),
        ),
      );
      return flush();
    }
    if (rows === 1) throw new Error('a value has 2 GiB or more, too large for Arrow');
    const half = rows >> 1;
    await write(
      values.map((column) => column.slice(0, half)),
      half,
    );
    await write(
      values.map((column) => column.slice(half)),
      rows - half,
    );
  };
  for await (const chunk of result)
    if (chunk.rowCount > 0) await write(columnValues(chunk, reading), chunk.rowCount);
  writer.close();
  await flush();
}

/**
 * The Arrow type for a DuckDB type, and a function that builds its buffers; undefined if the
 * offsets overflow.
 */
interface ArrowColumn {
  type: DataType;
  data(values: readonly DuckDBValue[]): Data | undefined;
}

function arrowColumn(type: DuckDBType): ArrowColumn {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return boolColumn();
    case DuckDBTypeId.TINYINT:
      return numberColumn(new Int8(), Int8Array);
    case DuckDBTypeId.SMALLINT:
      return numberColumn(new Int16(), Int16Array);
    case DuckDBTypeId.INTEGER:
      return numberColumn(new Int32(), Int32Array);
    case DuckDBTypeId.UTINYINT:
      return numberColumn(new Uint8(), Uint8Array);
    case DuckDBTypeId.USMALLINT:
      return numberColumn(new Uint16(), Uint16Array);
    case DuckDBTypeId.UINTEGER:
      return numberColumn(new Uint32(), Uint32Array);
    case DuckDBTypeId.FLOAT:
      return numberColumn(new Float32(), Float32Array);
    case DuckDBTypeId.DOUBLE:
      return numberColumn(new Float64(), Float64Array);
    case DuckDBTypeId.BIGINT:
      return bigintColumn(new Int64(), (value) => value as bigint);
    case DuckDBTypeId.UBIGINT:
      return bigintColumn(new Uint64(), (value) => value as bigint);
    case DuckDBTypeId.DECIMAL:
      return decimalColumn(type as DuckDBDecimalType);
    case DuckDBTypeId.DATE:
      return numberColumn(new DateDay(), Int32Array, (value) => (value as DuckDBDateValue).days);
    case DuckDBTypeId.TIME:
      return bigintColumn(new TimeMicrosecond(), (value) => (value as DuckDBTimeValue).micros);
    case DuckDBTypeId.TIME_NS:
      return bigintColumn(new TimeNanosecond(), (value) => (value as DuckDBTimeNSValue).nanos);
    case DuckDBTypeId.TIMESTAMP_S:
      return bigintColumn(
        new TimestampSecond('UTC'),
        (value) => (value as DuckDBTimestampSecondsValue).seconds,
      );
    case DuckDBTypeId.TIMESTAMP_MS:
      return bigintColumn(
        new TimestampMillisecond('UTC'),
        (value) => (value as DuckDBTimestampMillisecondsValue).millis,
      );
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return bigintColumn(
        new TimestampMicrosecond('UTC'),
        (value) => (value as DuckDBTimestampValue).micros,
      );
    case DuckDBTypeId.TIMESTAMP_NS:
      return bigintColumn(
        new TimestampNanosecond('UTC'),
        (value) => (value as DuckDBTimestampNanosecondsValue).nanos,
      );
    case DuckDBTypeId.BLOB:
    case DuckDBTypeId.GEOMETRY:
      return bytesColumn(new Binary(), (value) => (value as DuckDBBlobValue).bytes);
    case DuckDBTypeId.VARCHAR:
      return bytesColumn(new Utf8(), (value) => Buffer.from(value as string));
    case DuckDBTypeId.LIST:
      return listColumn(arrowColumn((type as DuckDBListType).valueType));
    case DuckDBTypeId.STRUCT:
      return structColumn(type as DuckDBStructType);
    case DuckDBTypeId.MAP:
      return mapColumn(type as DuckDBMapType);
    default:
      throw new Error(`no Arrow type for ${type}`);
  }
}

function nullsOf(values: readonly DuckDBValue[]): {
  length: number;
  nullCount: number;
  nullBitmap: Uint8Array | null;
} {
  let nullCount = 0;
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 64) * 8);
  values.forEach((value, row) => {
    if (value === null) nullCount++;
    else nullBitmap[row >> 3] = (nullBitmap[row >> 3] as number) | (1 << (row & 7));
  });
  return { length: values.length, nullCount, nullBitmap: nullCount === 0 ? null : nullBitmap };
}

type NumberArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array;

function numberColumn(
  type: DataType,
  ofLength: new (length: number) => NumberArray,
  numberOf = (value: DuckDBValue): number => value as number,
): ArrowColumn {
  return {
    type,
    data(values) {
      const data = new ofLength(values.length);
      values.forEach((value, row) => {
        if (value !== null) data[row] = numberOf(value);
      });
      return makeData({ type: type as Int32, ...nullsOf(values), data: data as Int32Array });
    },
  };
}

function bigintColumn(type: DataType, bigintOf: (value: DuckDBValue) => bigint): ArrowColumn {
  return {
    type,
    data(values) {
      const data = new BigInt64Array(values.length);
      values.forEach((value, row) => {
        if (value !== null) data[row] = bigintOf(value);
      });
      return makeData({ type: type as Int64, ...nullsOf(values), data });
    },
  };
}

function boolColumn(): ArrowColumn {
  const type = new Bool();
  return {
    type,
    data(values) {
      const data = new Uint8Array(Math.ceil(values.length / 64) * 8);
      values.forEach((value, row) => {
        if (value === true) data[row >> 3] = (data[row >> 3] as number) | (1 << (row & 7));
      });
      return makeData({ type, ...nullsOf(values), data });
    },
  };
}

function decimalColumn({ scale, width }: DuckDBDecimalType): ArrowColumn {
  const type = new Decimal(scale, width, 128);
  return {
    type,
    data(values) {
      const words = new BigUint64Array(values.length * 2);
      values.forEach((value, row) => {
        if (value === null) return;
        const digits = (value as DuckDBDecimalValue).value;
        words[2 * row] = BigInt.asUintN(64, digits);
        words[2 * row + 1] = BigInt.asUintN(64, digits >> 64n);
      });
      return makeData({ type, ...nullsOf(values), data: new Uint32Array(words.buffer) });
    },
  };
}

const maxOffset = 2 ** 31 - 1;

function bytesColumn(
  type: Utf8 | Binary,
  bytesOf: (value: DuckDBValue) => Uint8Array,
): ArrowColumn {
  return {
    type,
    data(values) {
      const valueOffsets = new Int32Array(values.length + 1);
      const pieces: Uint8Array[] = [];
      let end = 0;
      for (const [row, value] of values.entries()) {
        if (value !== null) {
          const bytes = bytesOf(value);
          pieces.push(bytes);
          end += bytes.byteLength;
          if (end > maxOffset) return undefined;
        }
        valueOffsets[row + 1] = end;
      }
      return makeData({
        type: type as Utf8,
        ...nullsOf(values),
        valueOffsets,
        data: Buffer.concat(pieces),
      });
    },
  };
}

function listColumn(item: ArrowColumn): ArrowColumn {
  const type = new List(new Field('item', item.type, true));
  return {
    type,
    data(values) {
      const { offsets, items } = flatten(values, (value) => (value as DuckDBListValue).items);
      const child = item.data(items);
      if (child === undefined) return undefined;
      return makeData({ type, ...nullsOf(values), valueOffsets: offsets, child });
    },
  };
}

function structColumn({ entryNames, entryTypes }: DuckDBStructType): ArrowColumn {
  const columns = entryTypes.map(arrowColumn);
  const type = new Struct(
    columns.map((column, index) => new Field(entryNames[index] as string, column.type, true)),
  );
  return {
    type,
    data(values) {
      const children = columns.map((column, index) =>
        column.data(
          values.map((value) => (value as DuckDBStructValue | null)?.entries[index] ?? null),
        ),
      );
      if (!children.every((data): data is Data => data !== undefined)) return undefined;
      return makeData({ type, ...nullsOf(values), children });
    },
  };
}

function mapColumn({ keyType, valueType }: DuckDBMapType): ArrowColumn {
  const [keys, entries] = [arrowColumn(keyType), arrowColumn(valueType)];
  const pair = new Struct([
    new Field('key', keys.type, false),
    new Field('value', entries.type, true),
  ]);
  const type = new Map_(new Field('entries', pair as never, false));
  return {
    type,
    data(values) {
      const { offsets, items } = flatten(values, (value) => (value as DuckDBMapValue).entries);
      const children = [
        keys.data(items.map(({ key }) => key)),
        entries.data(items.map(({ value }) => value)),
      ];
      if (!children.every((data): data is Data => data !== undefined)) return undefined;
      const child = makeData({ type: pair, length: items.length, nullCount: 0, children });
      return makeData({ type, ...nullsOf(values), valueOffsets: offsets, child: child as never });
    },
  };
}

/**
 * Concatenates the items of all rows, with the start of each row. A chunk has far fewer than an
 * offset can count.
 */
function flatten<T>(
  values: readonly DuckDBValue[],
  itemsOf: (value: DuckDBValue) => readonly T[],
): { offsets: Int32Array; items: T[] } {
  const offsets = new Int32Array(values.length + 1);
  const items: T[] = [];
  values.forEach((value, row) => {
    if (value !== null) for (const item of itemsOf(value)) items.push(item);
    offsets[row + 1] = items.length;
  });
  return { offsets, items };
}
