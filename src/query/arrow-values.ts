import {
  BIGINT,
  BLOB,
  BOOLEAN,
  blobValue,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  INTERVAL,
  LIST,
  listValue,
  MAP,
  mapValue,
  SMALLINT,
  STRUCT,
  structValue,
  TIME,
  TIMESTAMP,
  TIMESTAMP_MS,
  TIMESTAMP_NS,
  TIMESTAMP_S,
  TINYINT,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import { type Data, DataType, type Decimal, type Field, type Struct, TimeUnit, Vector } from 'apache-arrow';

/** How many bytes of text rows may still share; taken down as they are read. */
export interface TextBudget {
  left: number;
}

/** A value of each row, as DuckDB takes it. */
export type Cells = (row: number) => DuckDBValue;

const integers: Readonly<Record<string, DuckDBType>> = {
  Int8: TINYINT,
  Int16: SMALLINT,
  Int32: INTEGER,
  Int64: BIGINT,
  Uint8: UTINYINT,
  Uint16: USMALLINT,
  Uint32: UINTEGER,
  Uint64: UBIGINT,
};

/** The type of DuckDB that holds the values of an Arrow type. What it has no type for becomes text. */
export function duckType(type: DataType): DuckDBType {
  if (DataType.isDictionary(type)) return duckType(type.dictionary);
  if (DataType.isInt(type)) return integers[type.toString()] as DuckDBType;
  if (DataType.isFloat(type)) return type.precision === 2 ? DOUBLE : FLOAT;
  if (DataType.isBool(type)) return BOOLEAN;
  if (isBytes(type)) return BLOB;
  if (DataType.isDate(type)) return type.unit === 0 ? DATE : TIMESTAMP_MS;
  if (DataType.isTime(type)) return TIME;
  if (DataType.isTimestamp(type)) return timestamps[type.unit]?.type as DuckDBType;
  if (DataType.isDecimal(type) && isDecimal(type)) return DECIMAL(type.precision, type.scale);
  if (DataType.isDuration(type)) return INTERVAL;
  if (DataType.isMap(type)) {
    const [key, value] = (type.children[0] as Field<Struct>).type.children;
    return MAP(duckType((key as Field).type), duckType((value as Field).type));
  }
  if (isList(type)) return LIST(duckType((type.children[0] as Field).type));
  if (DataType.isStruct(type) && type.children.length > 0) {
    return STRUCT(
      Object.fromEntries(
        memberNames(type.children).map((name, index) => [name, duckType((type.children[index] as Field).type)]),
      ),
    );
  }
  return VARCHAR;
}

/** Names that differ in more than case, as columns of SQL must. */
export function memberNames(fields: readonly { name: string | null }[]): string[] {
  const taken = new Set<string>();
  return fields.map(({ name }) => {
    const wanted = (name ?? '').replaceAll('\0', '\ufffd') || 'unnamed';
    let unique = wanted;
    for (let count = 1; taken.has(unique.toLowerCase()); count++) unique = `${wanted}_${count}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}

/** What reads the values of a column's data. Throws where the data contradicts itself. */
export function cellsOf(data: Data, budget: TextBudget): Cells {
  const read = valuesOf(data, budget);
  if (data.nullCount === 0) return read;
  return (row) => (data.getValid(row) ? read(row) : null);
}

function valuesOf(data: Data, budget: TextBudget): Cells {
  const type = data.type as DataType;
  // Buffers hold whole values; the library gives typed arrays over them.
  // biome-ignore lint/suspicious/noExplicitAny: the array's type depends on the column's.
  const values = data.values as any;
  if (DataType.isNull(type)) return () => null;
  if (DataType.isDictionary(type)) return dictionaryCells(data, budget);
  if (DataType.isInt(type)) return (row) => values[row];
  if (DataType.isFloat(type)) return type.precision === 0 ? (row) => halfFloat(values[row]) : (row) => values[row];
  if (DataType.isBool(type)) return (row) => ((values[row >> 3] >> (row & 7)) & 1) === 1;
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) {
    const { start, end } = spans(data, values.length);
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    return (row) => bytes.toString('utf8', start(row), end(row));
  }
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) {
    const { start, end } = spans(data, values.length);
    return (row) => blobValue(values.subarray(start(row), end(row)));
  }
  if (DataType.isUtf8View(type) || DataType.isBinaryView(type))
    return viewCells(data, budget, DataType.isUtf8View(type));
  if (DataType.isFixedSizeBinary(type)) {
    const width = type.byteWidth;
    return (row) => blobValue(values.subarray(row * width, (row + 1) * width));
  }
  if (DataType.isDate(type)) {
    return type.unit === 0
      ? (row) => new DuckDBDateValue(values[row])
      : (row) => new DuckDBTimestampMillisecondsValue(values[row]);
  }
  if (DataType.isTime(type)) return (row) => new DuckDBTimeValue(toMicroseconds(BigInt(values[row]), type.unit));
  if (DataType.isTimestamp(type)) {
    const { make } = timestamps[type.unit] as (typeof timestamps)[number];
    return (row) => make(values[row]);
  }
  if (DataType.isDuration(type)) {
    return (row) => new DuckDBIntervalValue(0, 0, toMicroseconds(values[row], type.unit));
  }
  if (DataType.isDecimal(type)) {
    const words = new BigInt64Array(values.buffer, values.byteOffset, data.length * 2);
    const number = (row: number) =>
      ((words[2 * row + 1] as bigint) << 64n) | BigInt.asUintN(64, words[2 * row] as bigint);
    return isDecimal(type)
      ? (row) => new DuckDBDecimalValue(number(row), type.precision, type.scale)
      : (row) => `${number(row)}e${-type.scale}`;
  }
  if (DataType.isMap(type)) {
    const { start, end } = spans(data, (data.children[0] as Data).length);
    const [key, value] = (data.children[0] as Data).children.map((child) => cellsOf(child, budget)) as [Cells, Cells];
    return (row) => mapValue(range(start(row), end(row), (index) => ({ key: key(index), value: value(index) })));
  }
  if (DataType.isFixedSizeList(type)) {
    const item = cellsOf(data.children[0] as Data, budget);
    return (row) => listValue(range(row * type.listSize, (row + 1) * type.listSize, item));
  }
  if (isList(type)) {
    const { start, end } = spans(data, (data.children[0] as Data).length);
    const item = cellsOf(data.children[0] as Data, budget);
    return (row) => listValue(range(start(row), end(row), item));
  }
  if (DataType.isStruct(type) && type.children.length > 0) {
    const names = memberNames(type.children);
    const members = data.children.map((child) => cellsOf(child, budget));
    return (row) => structValue(Object.fromEntries(names.map((name, index) => [name, (members[index] as Cells)(row)])));
  }
  // Unions and calendar intervals.
  const vector = new Vector([data]);
  return (row) => jsonText(vector.get(row));
}

function isBytes(type: DataType): boolean {
  return (
    DataType.isBinary(type) ||
    DataType.isLargeBinary(type) ||
    DataType.isBinaryView(type) ||
    DataType.isFixedSizeBinary(type)
  );
}

function isList(type: DataType): boolean {
  return DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type);
}

function isDecimal({ precision, scale }: Decimal): boolean {
  return precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision;
}

const timestamps: Record<number, { type: DuckDBType; make(value: bigint): DuckDBValue }> = {
  [TimeUnit.SECOND]: { type: TIMESTAMP_S, make: (value) => new DuckDBTimestampSecondsValue(value) },
  [TimeUnit.MILLISECOND]: { type: TIMESTAMP_MS, make: (value) => new DuckDBTimestampMillisecondsValue(value) },
  [TimeUnit.MICROSECOND]: { type: TIMESTAMP, make: (value) => new DuckDBTimestampValue(value) },
  [TimeUnit.NANOSECOND]: { type: TIMESTAMP_NS, make: (value) => new DuckDBTimestampNanosecondsValue(value) },
};

function toMicroseconds(value: bigint, unit: TimeUnit): bigint {
  if (unit === TimeUnit.NANOSECOND) return value / 1000n;
  return value * ([1_000_000n, 1000n, 1n][unit] as bigint);
}

/** Where the values of variable length begin and end. They follow one another: rows that shared them could be any size. */
function spans(data: Data, limit: number) {
  const offsets = data.valueOffsets as Int32Array | BigInt64Array | undefined;
  let before = 0;
  for (let row = 0; row <= data.length && data.length > 0; row++) {
    const offset = Number(offsets?.[row]);
    if (!(offset >= before && offset <= limit)) throw new Error(`the offsets of a column are impossible at row ${row}`);
    before = offset;
  }
  return { start: (row: number) => Number(offsets?.[row]), end: (row: number) => Number(offsets?.[row + 1]) };
}

function range<Item>(start: number, end: number, item: (index: number) => Item): Item[] {
  return Array.from({ length: end - start }, (_, index) => item(start + index));
}

/** Values of 12 bytes and less stand in the views, longer ones in buffers that views can share. */
function viewCells(data: Data, budget: TextBudget, isText: boolean): Cells {
  const views = Buffer.from(data.values.buffer, data.values.byteOffset, data.length * 16);
  const buffers = data.variadicBuffers.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const bytesOf = (row: number): Buffer => {
    const at = 16 * row;
    const length = views.readInt32LE(at);
    if (length >= 0 && length <= 12) return views.subarray(at + 4, at + 4 + length);
    const buffer = buffers[views.readInt32LE(at + 8)];
    const offset = views.readInt32LE(at + 12);
    if (length < 0 || buffer === undefined || offset < 0 || offset + length > buffer.length) {
      throw new Error(`a view leads outside its column at row ${row}`);
    }
    spend(budget, length);
    return buffer.subarray(offset, offset + length);
  };
  return isText ? (row) => bytesOf(row).toString('utf8') : (row) => blobValue(Uint8Array.from(bytesOf(row)));
}

/** Takes bytes that rows share with others from what is allowed. */
export function spend(budget: TextBudget, bytes: number): void {
  budget.left -= bytes;
  if (budget.left < 0) throw new Error('its rows repeat texts more often than the size of the file makes plausible');
}

function dictionaryCells(data: Data, budget: TextBudget): Cells {
  const values = dictionaryValues(data.dictionary as Vector, budget);
  const index = indexesOf(data, values.length);
  return (row) => {
    const value = values[index(row)] as DuckDBValue;
    if (typeof value === 'string') spend(budget, value.length);
    else if (typeof value === 'object' && value !== null) spend(budget, 64);
    return value;
  };
}

/** The places in a dictionary that a column's rows refer to. */
export function indexesOf(data: Data, size: number): (row: number) => number {
  // biome-ignore lint/suspicious/noExplicitAny: indexes have any width.
  const indexes = data.values as any;
  return (row) => {
    const index = Number(indexes[row]);
    if (!(index >= 0 && index < size)) throw new Error(`an index leads outside its dictionary at row ${row}`);
    return index;
  };
}

const known = new WeakMap<Data, { parts: number; values: DuckDBValue[] }>();

/** The values of a dictionary, each part read once for all batches that share it. */
export function dictionaryValues(dictionary: Vector, budget: TextBudget): readonly DuckDBValue[] {
  const [first] = dictionary.data;
  if (first === undefined) return [];
  // Later parts add to the same list; a dictionary that replaces another has another first part.
  const entry = known.get(first) ?? { parts: 0, values: [] };
  known.set(first, entry);
  for (const data of dictionary.data.slice(entry.parts)) {
    const cells = cellsOf(data, budget);
    for (let index = 0; index < data.length; index++) entry.values.push(cells(index));
    entry.parts += 1;
  }
  return entry.values;
}

function halfFloat(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

function jsonText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  return JSON.stringify(ArrayBuffer.isView(value) ? [...(value as Int32Array)] : value, (_, inner) =>
    typeof inner === 'bigint' ? inner.toString() : inner,
  );
}
