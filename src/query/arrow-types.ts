import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  INTERVAL,
  LIST,
  MAP,
  SMALLINT,
  STRUCT,
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
import { DataType, type Decimal, type Field, type Struct, TimeUnit } from 'apache-arrow';

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

/** DuckDB types of times by unit, with constructors of their values. */
export const timestamps: Readonly<
  Record<number, { type: DuckDBType; make(value: bigint): DuckDBValue }>
> = {
  [TimeUnit.SECOND]: { type: TIMESTAMP_S, make: (value) => new DuckDBTimestampSecondsValue(value) },
  [TimeUnit.MILLISECOND]: {
    type: TIMESTAMP_MS,
    make: (value) => new DuckDBTimestampMillisecondsValue(value),
  },
  [TimeUnit.MICROSECOND]: { type: TIMESTAMP, make: (value) => new DuckDBTimestampValue(value) },
  [TimeUnit.NANOSECOND]: {
    type: TIMESTAMP_NS,
    make: (value) => new DuckDBTimestampNanosecondsValue(value),
  },
};

/** The DuckDB type for values of an Arrow type. Values without a matching type become text. */
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
  if (DataType.isDuration(type) || DataType.isInterval(type)) return INTERVAL;
  if (DataType.isMap(type)) {
    const [key, value] = (type.children[0] as Field<Struct>).type.children;
    return MAP(duckType((key as Field).type), duckType((value as Field).type));
  }
  if (isList(type)) return LIST(duckType((type.children[0] as Field).type));
  if (DataType.isStruct(type) && type.children.length > 0) {
    return STRUCT(
      Object.fromEntries(
        memberNames(type.children).map((name, index) => [
          name,
          duckType((type.children[index] as Field).type),
        ]),
      ),
    );
  }
  return VARCHAR;
}

/** Makes names distinct even without case, as SQL columns must be. */
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

export function isText(type: DataType): boolean {
  return DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type);
}

function isBytes(type: DataType): boolean {
  return (
    DataType.isBinary(type) ||
    DataType.isLargeBinary(type) ||
    DataType.isBinaryView(type) ||
    DataType.isFixedSizeBinary(type)
  );
}

export function isList(type: DataType): boolean {
  return DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type);
}

/** Whether DuckDB also has the type. */
export function isDecimal({ precision, scale }: Decimal): boolean {
  return precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision;
}
