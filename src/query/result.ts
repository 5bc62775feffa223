import type { DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import { DuckDBTypeId } from '@duckdb/node-api';
import { escapeForTerminal } from '../engine/escape.js';
import type { ByteSink } from '../export/sink.js';
import { csvText, jsonString } from '../export/values.js';
import type { TextFormat } from './formats.js';
import { csvValue, jsonValue, plainText } from './values.js';

/** Small results may come as several chunks. */
const rowsAtOnce = 2048;

/** Writes a result as text while it is computed. */
export async function writeText(
  result: DuckDBResult,
  format: Exclude<TextFormat, 'table'>,
  sink: ByteSink,
): Promise<void> {
  const writer = writers[format](result);
  await sink.write(writer.head);
  let rowCount = 0;
  let pending: DuckDBValue[][] = [];
  const flush = async () => {
    if (pending.length > 0) await sink.write(writer.rows(pending, rowCount));
    rowCount += pending.length;
    pending = [];
  };
  for await (const chunk of result) {
    pending.push(...chunk.getRows());
    if (pending.length >= rowsAtOnce) await flush();
  }
  await flush();
  await sink.write(writer.tail(rowCount));
}

interface Writer {
  head: string;
  rows(rows: DuckDBValue[][], before: number): string;
  tail(count: number): string;
}

const writers: Record<Exclude<TextFormat, 'table'>, (result: DuckDBResult) => Writer> = {
  csv: (result) => ({
    head: `${result.columnNames().map(csvText).join(',')}\r\n`,
    rows: (rows) => rows.map((row) => `${row.map(csvValue).join(',')}\r\n`).join(''),
    tail: () => '',
  }),
  json(result) {
    const object = jsonObject(result);
    return {
      head: '[',
      rows: (rows, before) => rows.map((row, index) => `${before + index === 0 ? '' : ','}\n  ${object(row)}`).join(''),
      tail: (count) => (count === 0 ? ']\n' : '\n]\n'),
    };
  },
  jsonl(result) {
    const object = jsonObject(result);
    return { head: '', rows: (rows) => rows.map((row) => `${object(row)}\n`).join(''), tail: () => '' };
  },
  markdown: (result) => ({
    head: `| ${result.columnNames().map(markdownText).join(' | ')} |\n|${result
      .columnNames()
      .map((_, index) => (numeric.has(result.columnTypeId(index)) ? ' ---: |' : ' --- |'))
      .join('')}\n`,
    rows: (rows) =>
      rows.map((row) => `| ${row.map((value) => markdownText(plainText(value))).join(' | ')} |\n`).join(''),
    tail: () => '',
  }),
};

/** The types of numbers, which stand to the right. */
export const numeric = new Set([
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
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
]);

function jsonObject(result: DuckDBResult): (row: DuckDBValue[]) => string {
  // Two columns of one name would hide one another.
  const keys = result.deduplicatedColumnNames().map(jsonString);
  return (row) => `{${row.map((value, index) => `${keys[index]}:${jsonValue(value)}`).join(',')}}`;
}

/** Text that Markdown shows as it is: a captured string must not become a link or HTML. */
function markdownText(text: string): string {
  return escapeForTerminal(text).replace(/[\\`*[\]<>|&]/g, '\\$&');
}
