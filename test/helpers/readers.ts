import { readFileSync } from 'node:fs';
import { tableFromIPC } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import {
  type ColumnType,
  type TableName,
  tableColumns,
  tables,
} from '../../src/engine/columns.gen.js';
import { openColumns } from '../../src/engine/session.js';
import { type Digest, digest, type Plain } from './digest.js';

/** The values of a row by column. */
export type ReadRow = (column: string) => Plain;

// One reader per format. None is sfkit's own, except for .sf, which another test reads with avsc.

const typeOf = (table: TableName, name: string) =>
  tableColumns[table].find((column) => column.name === name)?.type as ColumnType;

export const digestJsonl = (table: TableName, path: string) =>
  digest(table, readJsonl(table, path));

export function readJsonl(table: TableName, path: string): ReadRow[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    // JSON.parse would round. Digits after a key are a number; in strings of sfkit, a backslash
    // precedes the quotation mark.
    const row = JSON.parse(line.replace(/((?<!\\)":)(-?\d+)(?=[,}])/g, '$1"int:$2"')) as Record<
      string,
      unknown
    >;
    return (name) => fromJson(row[name] as never, typeOf(table, name));
  });
}

function fromJson(value: string | boolean | string[] | null, type: ColumnType): Plain {
  if (typeof value !== 'string') return value;
  if (type === 'ts') return nanoseconds(value);
  return type === 'i32' || type === 'i64' ? BigInt(value.slice(4)) : value;
}

export const digestCsv = (table: TableName, path: string) => digest(table, readCsv(table, path));

export function readCsv(table: TableName, path: string): ReadRow[] {
  const [header, ...rows] = parseCsv(readFileSync(path, 'utf8'));
  const places = new Map(header?.map((cell, index) => [cell.text, index]));
  return rows.map(
    (row) => (name) => fromCsv(row[places.get(name) as number] as CsvCell, typeOf(table, name)),
  );
}

interface CsvCell {
  text: string;
  quoted: boolean;
}

function fromCsv({ text, quoted }: CsvCell, type: ColumnType): Plain {
  // An empty cell is a missing value, except for operations, where it is an empty list.
  if (text === '' && !quoted) return null;
  switch (type) {
    case 'str':
      return (text.startsWith("'") ? text.slice(1) : text).replace(
        /\\(?:(\\)|x([0-9a-f]{2})|u([0-9a-f]{4}))/g,
        (_, backslash, two, four) =>
          backslash ?? String.fromCharCode(Number.parseInt(two ?? four, 16)),
      );
    case 'bool':
      return text === 'true';
    case 'ops':
    case 'flags':
      return text === '' ? [] : text.split('|');
    case 'ts':
      return nanoseconds(text);
    default:
      return BigInt(text);
  }
}

function parseCsv(text: string): CsvCell[][] {
  const rows: CsvCell[][] = [];
  let row: CsvCell[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^,\r]*))(,|\r\n)/gy;
  for (let match = cell.exec(text); match !== null; match = cell.exec(text)) {
    row.push({
      text: match[1]?.replaceAll('""', '"') ?? match[2] ?? '',
      quoted: match[1] !== undefined,
    });
    if (match[3] === '\r\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

export const digestArrow = (table: TableName, path: string) =>
  digest(table, readArrow(table, path));

export function readArrow(table: TableName, path: string): ReadRow[] {
  const data = tableFromIPC(readFileSync(path));
  const columns = new Map(tableColumns[table].map((column) => [column.name, column.type]));
  const values = new Map<string, Plain[]>();
  for (const [name, type] of columns) {
    const cells: Plain[] = [];
    for (const part of data.getChild(name)?.data ?? []) {
      const vector = data.getChild(name);
      const before = cells.length;
      for (let row = 0; row < part.length; row++) {
        // The library returns times in milliseconds; the underlying values are exact.
        const value =
          type === 'ts'
            ? part.getValid(row)
              ? part.values[row]
              : null
            : vector?.get(before + row);
        cells.push(fromArrow(value, type));
      }
    }
    values.set(name, cells);
  }
  return Array.from(
    { length: data.numRows },
    (_, row) => (name: string) => values.get(name)?.[row] ?? null,
  );
}

function fromArrow(value: unknown, type: ColumnType): Plain {
  if (value === null || value === undefined) return null;
  if (type === 'ops' || type === 'flags') return [...(value as Iterable<string>)];
  return typeof value === 'number' ? BigInt(value) : (value as Plain);
}

export const digestParquet = async (table: TableName, path: string) =>
  digest(table, await readParquet(path));

export async function readParquet(path: string): Promise<ReadRow[]> {
  const rows = await parquetReadObjects({
    file: Uint8Array.from(readFileSync(path)).buffer,
    compressors,
    utf8: true,
    parsers: { timestampFromNanoseconds: (nanos: bigint) => nanos } as never,
  });
  return rows.map((row) => (name) => {
    const value = row[name] as string | number | bigint | boolean | string[] | null | undefined;
    return value === undefined ? null : typeof value === 'number' ? BigInt(value) : value;
  });
}

/** Reads captures and .sf files with the engine. */
export async function digestInput(input: string): Promise<Map<TableName, Digest>> {
  const result = new Map<TableName, Digest>();
  for (const { name: table } of tables) {
    const rows: ((name: string) => Plain)[] = [];
    for await (const batch of openColumns({ input, tables: [table] })) {
      for (let row = 0; row < batch.rows; row++) {
        rows.push((name) => {
          const value = batch.column(name).get(row);
          return typeof value === 'number' ? BigInt(value) : value;
        });
      }
    }
    result.set(table, digest(table, rows));
  }
  return result;
}

function nanoseconds(text: string): bigint {
  const [seconds, decimals] = text.slice(0, -1).split('.') as [string, string];
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(decimals);
}
