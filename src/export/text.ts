import type { Column, ColumnBatch } from '../engine/batch.js';
import { namesOf } from '../engine/batch.js';
import { type TableName, tableColumns } from '../engine/columns.gen.js';
import { csvQuoted, csvText, isoTime, jsonString, jsonValue } from './values.js';

/** Approximate size of output pieces, in characters. */
const pieceSize = 1 << 16;

/** One JSON object and line per row: every column as a key, missing values as null. */
export function jsonLines(batch: ColumnBatch, columns = batch.columns): Generator<string> {
  const keys = columns.map(
    (column, index) => `${index === 0 ? '{' : ','}${JSON.stringify(column.name)}:`,
  );
  return jsonRows(batch, columns, keys)(0, batch.rows);
}

/** The lines of some rows, from one to before another. */
export type RowLines = (from: number, to: number) => Generator<string>;

/**
 * One JSON object and line per row. `before`: what precedes each value, the key at least. `after`:
 * what follows the last. Columns in `asJson` have texts of JSON, which become values.
 */
export function jsonRows(
  batch: ColumnBatch,
  columns: readonly Column[],
  before: readonly string[],
  after = '}',
  asJson: ReadonlySet<string> = noColumns,
): RowLines {
  const strings = converted(batch, jsonString);
  const values = converted(batch, jsonValue);
  const cells = columns.map((column) =>
    jsonCell(column, asJson.has(column.name) ? values : strings),
  );
  return (from, to) =>
    lines(from, to, (row) => {
      let line = '';
      for (let index = 0; index < cells.length; index++)
        line += (before[index] as string) + (cells[index] as Cell)(row);
      return `${line}${after}\n`;
    });
}

const noColumns: ReadonlySet<string> = new Set();

/** The header line of a table's CSV file. */
export function csvHeader(table: TableName): string {
  return `${tableColumns[table].map((column) => column.name).join(',')}\r\n`;
}

/** RFC 4180 lines; a missing value is an empty cell without quotes. */
export function csvLines(batch: ColumnBatch, columns = batch.columns): Generator<string> {
  return csvRows(batch, columns)(0, batch.rows);
}

export function csvRows(batch: ColumnBatch, columns: readonly Column[]): RowLines {
  const strings = converted(batch, csvText);
  const cells = columns.map((column) => csvCell(column, strings));
  return (from, to) =>
    lines(from, to, (row) => {
      let line = '';
      for (let index = 0; index < cells.length; index++)
        line += (index === 0 ? '' : ',') + (cells[index] as Cell)(row);
      return `${line}\r\n`;
    });
}

type Cell = (row: number) => string;

function* lines(from: number, to: number, line: (row: number) => string): Generator<string> {
  let piece = '';
  for (let row = from; row < to; row++) {
    piece += line(row);
    if (piece.length >= pieceSize) {
      yield piece;
      piece = '';
    }
  }
  if (piece !== '') yield piece;
}

function jsonCell(column: Column, strings: Strings): Cell {
  return cell(
    column,
    strings,
    'null',
    (names) => JSON.stringify(names),
    (time) => `"${time}"`,
  );
}

function csvCell(column: Column, strings: Strings): Cell {
  return cell(
    column,
    strings,
    '',
    (names) => csvQuoted(names.join('|')),
    (time) => time,
  );
}

/** A string of the batch by number, in the format's encoding. */
type Strings = (index: number) => string;

/** Converts each distinct string of a batch once, for all columns. */
function converted(batch: ColumnBatch, convert: (text: string) => string): Strings {
  const known = new Array<string | undefined>(batch.strings.length);
  return (index) => {
    known[index] ??= convert(batch.strings[index] as string);
    return known[index];
  };
}

/**
 * Returns a writer for the cells of one column; each distinct set of names is converted once per
 * batch.
 */
function cell(
  column: Column,
  strings: Strings,
  missing: string,
  ofNames: (names: readonly string[]) => string,
  ofTime: (time: string) => string,
): Cell {
  const values = column.values;
  const convert = ((): Cell => {
    switch (column.type) {
      case 'str':
        return (row) => strings(values[row] as number);
      case 'ops':
      case 'flags': {
        const names = namesOf(column.type);
        return remembered(values as Int32Array, (bits) => ofNames(names(bits)));
      }
      case 'bool':
        return (row) => (values[row] === 0 ? 'false' : 'true');
      case 'ts':
        return (row) => ofTime(isoTime(values[row] as bigint));
      default:
        return (row) => String(values[row]);
    }
  })();
  if (column.valid === null) return convert;
  return (row) => (column.isValid(row) ? convert(row) : missing);
}

function remembered(values: Int32Array, convert: (value: number) => string): Cell {
  const known = new Map<number, string>();
  return (row) => {
    const value = values[row] as number;
    let text = known.get(value);
    if (text === undefined) {
      text = convert(value);
      known.set(value, text);
    }
    return text;
  };
}
