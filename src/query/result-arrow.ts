import {
  DuckDBDateValue,
  DuckDBDecimalType,
  DuckDBDecimalValue,
  DuckDBListType,
  DuckDBListValue,
  type DuckDBResult,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api';
import {
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
  makeBuilder,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Timestamp,
  TimestampMicrosecond,
  TimestampNanosecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow';
import type { ByteSink } from '../export/sink.js';
import { plainText } from './values.js';

/** Writes a result as Arrow IPC. Types without a match in Arrow become text. */
export async function writeArrow(result: DuckDBResult, form: 'file' | 'stream', sink: ByteSink): Promise<void> {
  const types = result.columnTypes();
  const schema = new Schema(
    result.deduplicatedColumnNames().map((name, index) => new Field(name, arrowType(types[index] as DuckDBType), true)),
  );
  const writer = form === 'file' ? new RecordBatchFileWriter() : new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  for await (const chunk of result) {
    const children = schema.fields.map((field, index) => columnData(field.type, chunk.getColumnValues(index)));
    const type = new Struct(schema.fields);
    writer.write(new RecordBatch(schema, makeData({ type, length: chunk.rowCount, nullCount: 0, children })));
  }
  writer.close();
  for await (const bytes of writer) await sink.write(bytes);
}

const simpleTypes = new Map<DuckDBTypeId, () => DataType>([
  [DuckDBTypeId.BOOLEAN, () => new Bool()],
  [DuckDBTypeId.TINYINT, () => new Int8()],
  [DuckDBTypeId.SMALLINT, () => new Int16()],
  [DuckDBTypeId.INTEGER, () => new Int32()],
  [DuckDBTypeId.BIGINT, () => new Int64()],
  [DuckDBTypeId.UTINYINT, () => new Uint8()],
  [DuckDBTypeId.USMALLINT, () => new Uint16()],
  [DuckDBTypeId.UINTEGER, () => new Uint32()],
  [DuckDBTypeId.UBIGINT, () => new Uint64()],
  [DuckDBTypeId.FLOAT, () => new Float32()],
  [DuckDBTypeId.DOUBLE, () => new Float64()],
  [DuckDBTypeId.DATE, () => new DateDay()],
  [DuckDBTypeId.TIMESTAMP, () => new TimestampMicrosecond('UTC')],
  [DuckDBTypeId.TIMESTAMP_TZ, () => new TimestampMicrosecond('UTC')],
  [DuckDBTypeId.TIMESTAMP_NS, () => new TimestampNanosecond('UTC')],
  // Sums of BIGINT.
  [DuckDBTypeId.HUGEINT, () => new Decimal(0, 38, 128)],
]);

function arrowType(type: DuckDBType): DataType {
  const simple = simpleTypes.get(type.typeId);
  if (simple) return simple();
  if (type instanceof DuckDBDecimalType) return new Decimal(type.scale, type.width, 128);
  if (type instanceof DuckDBListType) {
    const item = arrowType(type.valueType);
    return new List(new Field('item', item instanceof Timestamp ? new Utf8() : item, true));
  }
  return new Utf8();
}

function columnData(type: DataType, values: readonly DuckDBValue[]): Data {
  const isTime = type instanceof Timestamp;
  // The library's builder of times takes milliseconds only; as integers they are exact.
  const builder = makeBuilder({ type: isTime ? new Int64() : type, nullValues: [null, undefined] });
  for (const value of values) builder.append(arrowValue(type, value));
  const data = builder.finish().flush();
  if (!isTime) return data;
  return makeData({
    type,
    length: data.length,
    nullCount: data.nullCount,
    nullBitmap: data.nullBitmap,
    data: data.values,
  });
}

function arrowValue(type: DataType, value: DuckDBValue): unknown {
  if (value === null) return null;
  if (type instanceof Utf8) return plainText(value);
  if (value instanceof DuckDBListValue)
    return value.items.map((item) => arrowValue((type as List).children[0]?.type as DataType, item));
  if (value instanceof DuckDBTimestampNanosecondsValue) return value.nanos;
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return value.micros;
  if (value instanceof DuckDBDateValue) return value.days;
  if (value instanceof DuckDBDecimalValue) return int128(value.value);
  if (type instanceof Decimal) return int128(BigInt(value as bigint));
  return value;
}

function int128(value: bigint): Uint32Array {
  const words = new BigUint64Array([BigInt.asUintN(64, value), BigInt.asUintN(64, value >> 64n)]);
  return new Uint32Array(words.buffer);
}
