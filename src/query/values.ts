import type {
  DuckDBArrayType,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBListType,
  DuckDBListValue,
  DuckDBMapType,
  DuckDBMapValue,
  DuckDBStructType,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBType,
  DuckDBUnionType,
  DuckDBUnionValue,
  DuckDBValue,
  DuckDBVariantValue,
} from '@duckdb/node-api';
import { DuckDBTypeId } from '../duckdb/api.js';
import { csvQuoted, csvText, jsonString } from '../export/values.js';
import { dateText, timestampText } from './time-text.js';

type Write = (value: DuckDBValue) => string;

/** Writes the values of one type, as read by `columnValues`, in each text form. */
export interface ValueWriter {
  /** For people: a missing value is empty, the empty text "". */
  plain: Write;
  json: Write;
  /** A CSV cell. */
  csv: Write;
}

export function valueWriter(type: DuckDBType): ValueWriter {
  const plain = plainWriter(type);
  const csv = csvWriter(type);
  return {
    plain: (value) => (value === null ? '' : plain(value) || '""'),
    json: jsonWriter(type),
    csv: (value) => (value === null ? '' : csv(value)),
  };
}

export function isNumeric(id: DuckDBTypeId): boolean {
  return numeric.has(id);
}

const numeric = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.BIGNUM,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
]);

/** Types whose text never comes from a capture. */
const harmless = new Set([
  ...numeric,
  DuckDBTypeId.BOOLEAN,
  DuckDBTypeId.DATE,
  DuckDBTypeId.TIME,
  DuckDBTypeId.TIME_NS,
  DuckDBTypeId.TIME_TZ,
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
  DuckDBTypeId.TIMESTAMP_TZ,
  DuckDBTypeId.INTERVAL,
]);

/**
 * How to find the fields of a struct: by position, as `readingType` names them, or by name in a
 * VARIANT, which the library decodes.
 */
type Fields = 'by position' | 'by name';

function jsonWriter(type: DuckDBType, fields: Fields = 'by position'): Write {
  const write = ((): Write => {
    switch (type.typeId) {
      case DuckDBTypeId.LIST:
      case DuckDBTypeId.ARRAY: {
        const item = jsonWriter(itemType(type), fields);
        return (value) => `[${itemsOf(value).map(item).join(',')}]`;
      }
      case DuckDBTypeId.STRUCT:
        return structWriter(type as DuckDBStructType, fields);
      case DuckDBTypeId.MAP: {
        const { keyType, valueType } = type as DuckDBMapType;
        const [key, entry] = [plainWriter(keyType, fields), jsonWriter(valueType, fields)];
        return (value) => {
          const entries = (value as DuckDBMapValue).entries;
          return `{${entries.map((pair) => `${jsonString(key(pair.key))}:${entry(pair.value)}`).join(',')}}`;
        };
      }
      case DuckDBTypeId.UNION:
        return unionWriter(type as DuckDBUnionType, 'null', (member) => jsonWriter(member, fields));
      case DuckDBTypeId.VARIANT:
        return variantWriter('null', jsonWriter);
      case DuckDBTypeId.BOOLEAN:
        return String;
      case DuckDBTypeId.FLOAT:
      case DuckDBTypeId.DOUBLE: {
        const text = scalarWriter(type);
        return (value) => (Number.isFinite(value) ? text(value) : jsonString(text(value)));
      }
      default: {
        const text = scalarWriter(type);
        return numeric.has(type.typeId) ? text : (value) => jsonString(text(value));
      }
    }
  })();
  return (value) => (value === null ? 'null' : write(value));
}

/** A struct without names, such as row(1, 'a'), is an array. */
function structWriter({ entryNames, entryTypes }: DuckDBStructType, fields: Fields): Write {
  const writers = entryTypes.map((entry) => jsonWriter(entry, fields));
  const isUnnamed = entryNames.length > 0 && entryNames.every((name) => name === '');
  const keys = entryNames.map((name) => (isUnnamed ? '' : `${jsonString(name)}:`));
  return (value) => {
    const { entries } = value as DuckDBStructValue;
    const parts = writers.map((write, index) => {
      const entry =
        entries[fields === 'by position' ? index : (entryNames[index] as string)] ?? null;
      return `${keys[index]}${write(entry)}`;
    });
    return isUnnamed ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
  };
}

/** Text of a value that is not null. */
function plainWriter(type: DuckDBType, fields: Fields = 'by position'): Write {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return plainListWriter(type, fields);
    case DuckDBTypeId.STRUCT:
    case DuckDBTypeId.MAP:
      return jsonWriter(type, fields);
    case DuckDBTypeId.UNION:
      return unionWriter(type as DuckDBUnionType, '', (member) => plainWriter(member, fields));
    case DuckDBTypeId.VARIANT:
      return variantWriter('', plainWriter);
    default:
      return scalarWriter(type);
  }
}

/** Text that is unambiguous among brackets, commas and blanks. */
const plainItem = /^(?!null$)[^\s,"'[\]{}](?:[^,"'[\]{}]*[^\s,"'[\]{}])?$/;

/** Items in brackets, or JSON if that would be ambiguous. */
function plainListWriter(type: DuckDBType, fields: Fields): Write {
  const json = jsonWriter(type, fields);
  if (isNested(itemType(type))) return json;
  const item = plainWriter(itemType(type), fields);
  return (value) => {
    const texts: string[] = [];
    for (const inner of itemsOf(value)) {
      const text = inner === null ? 'null' : item(inner);
      if (inner !== null && !plainItem.test(text)) return json(value);
      texts.push(text);
    }
    return `[${texts.join(', ')}]`;
  };
}

function csvWriter(type: DuckDBType, fields: Fields = 'by position'): Write {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return csvListWriter(type, fields);
    case DuckDBTypeId.UNION:
      return unionWriter(type as DuckDBUnionType, '', (member) => csvWriter(member, fields));
    case DuckDBTypeId.VARIANT:
      return variantWriter('', csvWriter);
    default: {
      const text = plainWriter(type, fields);
      const cell = harmless.has(type.typeId) ? csvQuoted : csvText;
      return (value) => cell(text(value));
    }
  }
}

/** Items joined by |, or JSON if that would be ambiguous. */
function csvListWriter(type: DuckDBType, fields: Fields): Write {
  const json = jsonWriter(type, fields);
  if (isNested(itemType(type))) return (value) => csvText(json(value));
  const item = plainWriter(itemType(type), fields);
  return (value) => {
    const texts: string[] = [];
    for (const inner of itemsOf(value)) {
      const text = inner === null ? '' : item(inner);
      if (text === '' || text.includes('|') || (texts.length === 0 && text.startsWith('[')))
        return csvText(json(value));
      texts.push(text);
    }
    return csvText(texts.join('|'));
  };
}

const isNested = ({ typeId }: DuckDBType): boolean =>
  typeId === DuckDBTypeId.LIST ||
  typeId === DuckDBTypeId.ARRAY ||
  typeId === DuckDBTypeId.STRUCT ||
  typeId === DuckDBTypeId.MAP ||
  typeId === DuckDBTypeId.UNION ||
  typeId === DuckDBTypeId.VARIANT;

const itemType = (type: DuckDBType): DuckDBType =>
  (type as DuckDBListType | DuckDBArrayType).valueType;

const itemsOf = (value: DuckDBValue): readonly DuckDBValue[] =>
  (value as DuckDBListValue | DuckDBArrayValue).items;

/** A union is written as the value of its member. */
function unionWriter(
  { memberTags, memberTypes }: DuckDBUnionType,
  missing: string,
  ofMember: (type: DuckDBType) => Write,
): Write {
  const writers = new Map(
    memberTags.map((tag, index) => [tag, ofMember(memberTypes[index] as DuckDBType)]),
  );
  return (value) => {
    const { tag, value: member } = value as DuckDBUnionValue;
    return member === null ? missing : (writers.get(tag) as Write)(member);
  };
}

/** Each VARIANT has its own type. */
function variantWriter(
  missing: string,
  ofType: (type: DuckDBType, fields: Fields) => Write,
): Write {
  return (value) => {
    const { value: inner, type } = value as DuckDBVariantValue;
    return inner === null ? missing : ofType(type as DuckDBType, 'by name')(inner);
  };
}

/** Text of a scalar value. */
function scalarWriter(type: DuckDBType): Write {
  switch (type.typeId) {
    case DuckDBTypeId.FLOAT:
      return (value) => floatText(value as number);
    case DuckDBTypeId.DOUBLE:
      return (value) => doubleText(value as number);
    case DuckDBTypeId.DATE:
      return (value) => dateText((value as DuckDBDateValue).days);
    case DuckDBTypeId.TIMESTAMP_S:
      return (value) => timestampText((value as DuckDBTimestampSecondsValue).seconds, 's', false);
    case DuckDBTypeId.TIMESTAMP_MS:
      return (value) =>
        timestampText((value as DuckDBTimestampMillisecondsValue).millis, 'ms', false);
    case DuckDBTypeId.TIMESTAMP:
      return (value) => timestampText((value as DuckDBTimestampValue).micros, 'us', false);
    case DuckDBTypeId.TIMESTAMP_TZ:
      return (value) => timestampText((value as DuckDBTimestampTZValue).micros, 'us', true);
    case DuckDBTypeId.TIMESTAMP_NS:
      return (value) =>
        timestampText((value as DuckDBTimestampNanosecondsValue).nanos, 'ns', false);
    case DuckDBTypeId.BLOB:
    case DuckDBTypeId.GEOMETRY:
      return (value) => Buffer.from((value as DuckDBBlobValue).bytes).toString('hex');
    default:
      return String;
  }
}

const doubleText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** The shortest digits that give this number in 32 bits. */
function floatText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return doubleText(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}
