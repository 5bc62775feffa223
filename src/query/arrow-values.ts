import {
  blobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimeValue,
  type DuckDBValue,
  listValue,
  mapValue,
  structValue,
} from '@duckdb/node-api';
import {
  type Data,
  DataType,
  type Decimal,
  type Interval,
  IntervalUnit,
  TimeUnit,
  type Union,
  type Vector,
} from 'apache-arrow';
import { isDecimal, isList, memberNames, timestamps } from './arrow-types.js';

/** The values of a column's rows. */
export interface Cells {
  /** The value of a row for DuckDB. */
  at(row: number): DuckDBValue;
  /** Approximate memory of the values of rows, in bytes. */
  bytes(start: number, end: number): number;
}

/** State of reading one file. */
export interface Reading {
  /** Remaining budget, in bytes, for copies of values that rows share. */
  left: number;
  /** Readers of complete dictionaries, and of their parts. */
  readonly dictionaries: WeakMap<Vector, Cells & { length: number }>;
  readonly parts: WeakMap<Data, Cells>;
}

/** Approximate memory of a number, and of an object without its contents, in bytes. */
const numberBytes = 16;
const objectBytes = 64;

/** Returns a reader of a column's values. Throws if the data contradicts itself. */
export function cellsOf(data: Data, reading: Reading): Cells {
  const cells = valuesOf(data, reading);
  if (DataType.isUnion(data.type) || data.nullCount === 0) return cells;
  return { ...cells, at: (row) => (data.getValid(row) ? cells.at(row) : null) };
}

function valuesOf(data: Data, reading: Reading): Cells {
  const type = data.type as DataType;
  // Buffers hold complete values; the library returns typed arrays over them.
  // biome-ignore lint/suspicious/noExplicitAny: the array's type depends on the column's.
  const values = data.values as any;
  if (DataType.isNull(type)) return numbers(() => null);
  if (DataType.isDictionary(type)) return dictionaryCells(data, reading);
  if (DataType.isInt(type)) return numbers((row) => values[row]);
  if (DataType.isFloat(type))
    return numbers(type.precision === 0 ? (row) => halfFloat(values[row]) : (row) => values[row]);
  if (DataType.isBool(type)) return numbers((row) => ((values[row >> 3] >> (row & 7)) & 1) === 1);
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) {
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    return spanCells(data, values.length, (start, end) => bytes.toString('utf8', start, end));
  }
  if (DataType.isBinary(type) || DataType.isLargeBinary(type))
    return spanCells(data, values.length, (start, end) => blobValue(values.subarray(start, end)));
  if (DataType.isUtf8View(type) || DataType.isBinaryView(type))
    return viewCells(data, reading, DataType.isUtf8View(type));
  if (DataType.isFixedSizeBinary(type)) {
    const width = type.byteWidth;
    return objects((row) => blobValue(values.subarray(row * width, (row + 1) * width)), width);
  }
  if (DataType.isDate(type)) {
    return objects(
      type.unit === 0
        ? (row) => new DuckDBDateValue(values[row])
        : (row) => new DuckDBTimestampMillisecondsValue(values[row]),
    );
  }
  if (DataType.isTime(type))
    return objects((row) => timeOfDay(BigInt(values[row]), type.unit, row));
  if (DataType.isTimestamp(type)) {
    const { make } = timestamps[type.unit] as { make(value: bigint): DuckDBValue };
    return objects((row) => make(values[row]));
  }
  if (DataType.isDuration(type))
    return objects((row) => interval(0, 0, toMicroseconds(values[row], type.unit), row));
  if (DataType.isInterval(type)) return intervalCells(type, values);
  if (DataType.isDecimal(type)) return decimalCells(type, values);
  if (DataType.isMap(type)) return mapCells(data, reading);
  if (DataType.isFixedSizeList(type)) {
    const item = cellsOf(data.children[0] as Data, reading);
    return {
      at: (row) => listValue(range(row * type.listSize, (row + 1) * type.listSize, item.at)),
      bytes: (start, end) =>
        (end - start) * objectBytes + item.bytes(start * type.listSize, end * type.listSize),
    };
  }
  if (isList(type)) {
    const item = cellsOf(data.children[0] as Data, reading);
    const list = spanCells(data, (data.children[0] as Data).length, (start, end) =>
      listValue(range(start, end, item.at)),
    );
    const at = offsetsOf(data);
    return {
      ...list,
      bytes: (start, end) => (end - start) * objectBytes + item.bytes(at(start), at(end)),
    };
  }
  if (DataType.isStruct(type)) return structCells(data, reading);
  if (DataType.isUnion(type)) return unionCells(data, reading);
  throw new Error(`a column has the unsupported type ${type}`);
}

/** Values of one size. */
function numbers(at: Cells['at']): Cells {
  return { at, bytes: (start, end) => (end - start) * numberBytes };
}

function objects(at: Cells['at'], each = 0): Cells {
  return { at, bytes: (start, end) => (end - start) * (objectBytes + each) };
}

/** Returns where the value of each row starts. */
function offsetsOf(data: Data): (row: number) => number {
  const offsets = data.valueOffsets as Int32Array | BigInt64Array | undefined;
  return (row) => (data.length === 0 ? 0 : Number(offsets?.[row]));
}

/**
 * Values of variable length. They must follow one another: overlapping rows could have any size.
 */
function spanCells(
  data: Data,
  limit: number,
  value: (start: number, end: number) => DuckDBValue,
): Cells {
  const at = offsetsOf(data);
  let before = 0;
  for (let row = 0; row <= data.length; row++) {
    const offset = at(row);
    if (!(offset >= before && offset <= limit))
      throw new Error(`the offsets of a column are impossible at row ${row}`);
    before = offset;
  }
  return {
    at: (row) => value(at(row), at(row + 1)),
    bytes: (start, end) => (end - start) * objectBytes + at(end) - at(start),
  };
}

function range<Item>(start: number, end: number, item: (index: number) => Item): Item[] {
  return Array.from({ length: end - start }, (_, index) => item(start + index));
}

/** Values of up to 12 bytes are in the views, longer ones in buffers that views can share. */
function viewCells(data: Data, reading: Reading, isText: boolean): Cells {
  const views = Buffer.from(data.values.buffer, data.values.byteOffset, data.length * 16);
  const buffers = data.variadicBuffers.map((bytes) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  );
  const bytesOf = (row: number): Buffer => {
    const at = 16 * row;
    const length = views.readInt32LE(at);
    if (length >= 0 && length <= 12) return views.subarray(at + 4, at + 4 + length);
    const buffer = buffers[views.readInt32LE(at + 8)];
    const offset = views.readInt32LE(at + 12);
    if (length < 0 || buffer === undefined || offset < 0 || offset + length > buffer.length) {
      throw new Error(`a view points outside its column at row ${row}`);
    }
    spend(reading, length);
    return buffer.subarray(offset, offset + length);
  };
  return {
    at: isText
      ? (row) => bytesOf(row).toString('utf8')
      : (row) => blobValue(Uint8Array.from(bytesOf(row))),
    bytes(start, end) {
      let sum = (end - start) * objectBytes;
      for (let row = start; row < end; row++)
        if (data.getValid(row)) sum += Math.max(0, views.readInt32LE(16 * row));
      return sum;
    },
  };
}

/** Subtracts the bytes of a shared value from the budget. */
function spend(reading: Reading, bytes: number): void {
  reading.left -= bytes;
  if (reading.left < 0)
    throw new Error('its rows repeat values more often than the size of the file makes plausible');
}

function dictionaryCells(data: Data, reading: Reading): Cells {
  const values = dictionaryOf(data, reading);
  const index = indexesOf(data, values.length);
  const sizeOf = (row: number) => values.bytes(index(row), index(row) + 1);
  return {
    at(row) {
      spend(reading, Math.max(0, sizeOf(row) - objectBytes));
      return values.at(index(row));
    },
    bytes(start, end) {
      let sum = 0;
      for (let row = start; row < end; row++) sum += data.getValid(row) ? sizeOf(row) : numberBytes;
      return sum;
    },
  };
}

/** Returns the dictionary index of each row. */
export function indexesOf(data: Data, size: number): (row: number) => number {
  // biome-ignore lint/suspicious/noExplicitAny: indexes have any width.
  const indexes = data.values as any;
  return (row) => {
    const index = Number(indexes[row]);
    if (!(index >= 0 && index < size))
      throw new Error(`an index points outside its dictionary at row ${row}`);
    return index;
  };
}

/** The values of a column's dictionary. Many batches share it. */
function dictionaryOf(data: Data, reading: Reading): Cells & { length: number } {
  // The library uses an empty dictionary if there is none yet.
  const dictionary = data.dictionary as Vector;
  const known = reading.dictionaries.get(dictionary);
  if (known !== undefined) return known;
  const made = joined(dictionary, (part) => partOf(part, reading));
  reading.dictionaries.set(dictionary, made);
  return made;
}

/** The values of a part of a dictionary. */
export function partOf(part: Data, reading: Reading): Cells {
  const known = reading.parts.get(part);
  if (known !== undefined) return known;
  const cells = cellsOf(part, reading);
  reading.parts.set(part, cells);
  return cells;
}

/** Joins the parts of a dictionary. */
function joined(
  dictionary: Vector,
  cellsOfPart: (part: Data) => Cells,
): Cells & { length: number } {
  const place = placesIn(dictionary);
  const cells = dictionary.data.map(cellsOfPart);
  return {
    length: dictionary.length,
    at(index) {
      const { part, row } = place(index);
      return (cells[part] as Cells).at(row);
    },
    // Callers ask for one value at a time.
    bytes(start) {
      const { part, row } = place(start);
      return (cells[part] as Cells).bytes(row, row + 1);
    },
  };
}

/** Finds the part of a dictionary that holds a value, and its row there. */
export function placesIn(dictionary: Vector): (index: number) => { part: number; row: number } {
  const starts: number[] = [];
  let next = 0;
  for (const { length } of dictionary.data) {
    starts.push(next);
    next += length;
  }
  return (index) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= index) low = middle;
      else high = middle - 1;
    }
    return { part: low, row: index - (starts[low] as number) };
  };
}

function mapCells(data: Data, reading: Reading): Cells {
  const entries = data.children[0] as Data;
  const [key, value] = entries.children.map((child) => cellsOf(child, reading)) as [Cells, Cells];
  const entry = (index: number) => {
    const found = { key: key.at(index), value: value.at(index) };
    if (found.key === null) throw new Error('a map has a null key');
    return found;
  };
  const map = spanCells(data, entries.length, (start, end) => mapValue(range(start, end, entry)));
  const at = offsetsOf(data);
  return {
    ...map,
    bytes(start, end) {
      const [first, last] = [at(start), at(end)];
      const each = (end - start) * objectBytes + (last - first) * 2 * objectBytes;
      return each + key.bytes(first, last) + value.bytes(first, last);
    },
  };
}

function structCells(data: Data, reading: Reading): Cells {
  // DuckDB has no struct without members.
  if (data.children.length === 0) return numbers(() => '{}');
  const names = memberNames(data.type.children);
  const members = data.children.map((child) => cellsOf(child, reading));
  return {
    at: (row) =>
      structValue(
        Object.fromEntries(names.map((name, index) => [name, (members[index] as Cells).at(row)])),
      ),
    bytes(start, end) {
      return members.reduce(
        (sum, member) => sum + member.bytes(start, end),
        (end - start) * objectBytes,
      );
    },
  };
}

/** The values of a union as text, whatever the type of each row. */
function unionCells(data: Data, reading: Reading): Cells {
  const members = data.children.map((child) => cellsOf(child, reading));
  const { typeIdToChildIndex } = data.type as Union;
  const types = data.typeIds as Int8Array;
  const offsets = DataType.isDenseUnion(data.type) ? (data.valueOffsets as Int32Array) : undefined;
  const place = (row: number) => {
    const member = typeIdToChildIndex[types[row] as number] ?? -1;
    const cells = members[member];
    const at = offsets === undefined ? row : (offsets[row] as number);
    const length = data.children[member]?.length ?? 0;
    if (cells === undefined || !(at >= 0 && at < length))
      throw new Error(`a union points outside its members at row ${row}`);
    return { cells, at };
  };
  return {
    at(row) {
      const { cells, at } = place(row);
      spend(reading, Math.max(0, cells.bytes(at, at + 1) - objectBytes));
      return textOf(cells.at(at));
    },
    bytes(start, end) {
      let sum = (end - start) * objectBytes;
      for (let row = start; row < end; row++) {
        const { cells, at } = place(row);
        sum += cells.bytes(at, at + 1);
      }
      return sum;
    },
  };
}

function textOf(value: DuckDBValue): string | null {
  return value === null || value === undefined ? null : String(value);
}

const dayMicroseconds = 86_400_000_000n;

/** Rejects times longer than a day: DuckDB reads out of bounds when it formats them. */
function timeOfDay(value: bigint, unit: TimeUnit, row: number): DuckDBTimeValue {
  const micros = toMicroseconds(value, unit);
  if (micros < 0n || micros > dayMicroseconds)
    throw new Error(`a time of day is impossible at row ${row}`);
  return new DuckDBTimeValue(micros);
}

function toMicroseconds(value: bigint, unit: TimeUnit): bigint {
  if (unit === TimeUnit.NANOSECOND) return value / 1000n;
  return value * ([1_000_000n, 1000n, 1n][unit] as bigint);
}

function interval(months: number, days: number, micros: bigint, row: number): DuckDBIntervalValue {
  if (BigInt.asIntN(64, micros) !== micros)
    throw new Error(`a duration is impossible at row ${row}`);
  return new DuckDBIntervalValue(months, days, micros);
}

function intervalCells(type: Interval, values: Int32Array): Cells {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const number = (at: number) => view.getInt32(4 * at, true);
  switch (type.unit) {
    case IntervalUnit.YEAR_MONTH:
      return objects((row) => interval(number(row), 0, 0n, row));
    case IntervalUnit.DAY_TIME:
      return objects((row) =>
        interval(0, number(2 * row), BigInt(number(2 * row + 1)) * 1000n, row),
      );
    default:
      return objects((row) =>
        interval(
          number(4 * row),
          number(4 * row + 1),
          view.getBigInt64(16 * row + 8, true) / 1000n,
          row,
        ),
      );
  }
}

function decimalCells(type: Decimal, values: Uint32Array): Cells {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const number = (row: number) =>
    (view.getBigInt64(16 * row + 8, true) << 64n) | view.getBigUint64(16 * row, true);
  if (!isDecimal(type)) return objects((row) => `${number(row)}e${-type.scale}`);
  const { precision, scale } = type;
  const limit = 10n ** BigInt(precision);
  return objects((row) => {
    const value = number(row);
    if (value >= limit || -value >= limit)
      throw new Error(`a number has more than ${precision} digits at row ${row}`);
    return new DuckDBDecimalValue(value, precision, scale);
  });
}

function halfFloat(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}
