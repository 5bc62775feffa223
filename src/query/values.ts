import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { csvQuoted, csvText, isoTime, jsonString } from '../export/values.js';

/** A result value for people: times as ISO 8601, lists in brackets. */
export function plainText(value: DuckDBValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  const items = itemsOf(value);
  if (items) return `[${items.map(plainText).join(', ')}]`;
  return scalarText(value) ?? jsonValue(value);
}

/** A result value as JSON; integers with all their digits. */
export function jsonValue(value: DuckDBValue): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : jsonString(String(value));
  if (value instanceof DuckDBDecimalValue) return value.toString();
  const items = itemsOf(value);
  if (items) return `[${items.map(jsonValue).join(',')}]`;
  if (value instanceof DuckDBStructValue) {
    const entries = Object.entries(value.entries);
    return `{${entries.map(([key, entry]) => `${jsonString(key)}:${jsonValue(entry)}`).join(',')}}`;
  }
  if (value instanceof DuckDBMapValue) {
    return `{${value.entries.map(({ key, value: entry }) => `${jsonString(plainText(key))}:${jsonValue(entry)}`).join(',')}}`;
  }
  return jsonString(scalarText(value) ?? String(value));
}

/** A result value as CSV cell; lists of single values joined by |. */
export function csvValue(value: DuckDBValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return csvText(value);
  const items = itemsOf(value);
  if (items) return csvText(items.map((item) => (itemsOf(item) ? jsonValue(item) : plainText(item))).join('|'));
  // What holds text of captures is protected like it; numbers and times are not text.
  return value instanceof DuckDBStructValue || value instanceof DuckDBMapValue
    ? csvText(jsonValue(value))
    : csvQuoted(plainText(value));
}

function itemsOf(value: DuckDBValue): readonly DuckDBValue[] | undefined {
  return value instanceof DuckDBListValue || value instanceof DuckDBArrayValue ? value.items : undefined;
}

function scalarText(value: DuckDBValue): string | undefined {
  if (value instanceof DuckDBTimestampNanosecondsValue) return time(value.nanos, 9);
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) {
    return value.micros > maxMicros || value.micros < -maxMicros ? value.toString() : time(value.micros * 1000n, 6);
  }
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex');
  if (value instanceof DuckDBStructValue || value instanceof DuckDBMapValue) return undefined;
  return String(value);
}

/** Years up to 9999; beyond, and for infinity, DuckDB's own text is used. */
const maxMicros = 253_402_300_799_000_000n;

function time(nanoseconds: bigint, decimals: number): string {
  const text = isoTime(nanoseconds);
  return decimals === 9 ? text : `${text.slice(0, 20 + decimals)}Z`;
}
