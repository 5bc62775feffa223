import type { DuckDBResult, DuckDBType } from '@duckdb/node-api';
import { escapeForTerminal } from '../engine/escape.js';
import { csvText, jsonString } from '../export/values.js';
import type { ByteSink } from '../output/sink.js';
import { distinctNames } from './columns.js';
import type { TextFormat } from './formats.js';
import { rowReader } from './rows.js';
import { isNumeric, type ValueWriter } from './values.js';

/** Rows per write; small results can arrive in several chunks. */
const rowsAtOnce = 2048;

/** Writes a result, or its first `maxRows`, as text while DuckDB computes it. */
export async function writeText(
  result: DuckDBResult,
  format: Exclude<TextFormat, 'table'> | 'plan',
  sink: ByteSink,
  maxRows = Number.POSITIVE_INFINITY,
): Promise<void> {
  const writer = (format === 'plan' ? plan : writers[format])(
    result.columnNames(),
    result.columnTypes(),
  );
  const rowsOf = rowReader(result, writer.cell);
  await sink.write(writer.head);
  let rowCount = 0;
  let pending: string[][] = [];
  const flush = async () => {
    if (pending.length > 0) await sink.write(writer.rows(pending, rowCount));
    rowCount += pending.length;
    pending = [];
  };
  for await (const chunk of result) {
    pending.push(...rowsOf(chunk).slice(0, maxRows - rowCount - pending.length));
    if (rowCount + pending.length >= maxRows) break;
    if (pending.length >= rowsAtOnce) await flush();
  }
  await flush();
  await sink.write(writer.tail(rowCount));
}

interface Writer {
  /** The text form of values. */
  cell: keyof ValueWriter;
  head: string;
  rows(rows: readonly (readonly string[])[], before: number): string;
  tail(count: number): string;
}

type MakeWriter = (names: readonly string[], types: readonly DuckDBType[]) => Writer;

const writers: Record<Exclude<TextFormat, 'table'>, MakeWriter> = {
  csv: (names) => ({
    cell: 'csv',
    head: `${names.map(csvText).join(',')}\r\n`,
    rows: (rows) => rows.map((row) => `${row.join(',')}\r\n`).join(''),
    tail: () => '',
  }),
  json(names) {
    const object = jsonObject(names);
    return {
      cell: 'json',
      head: '[',
      rows: (rows, before) =>
        rows.map((row, index) => `${before + index === 0 ? '' : ','}\n  ${object(row)}`).join(''),
      tail: (count) => (count === 0 ? ']\n' : '\n]\n'),
    };
  },
  jsonl(names) {
    const object = jsonObject(names);
    return {
      cell: 'json',
      head: '',
      rows: (rows) => rows.map((row) => `${object(row)}\n`).join(''),
      tail: () => '',
    };
  },
  markdown: (names, types) => ({
    cell: 'plain',
    head: `${markdownRow(names)}|${types.map(({ typeId }) => (isNumeric(typeId) ? ' ---: |' : ' --- |')).join('')}\n`,
    rows: (rows) => rows.map(markdownRow).join(''),
    tail: () => '',
  }),
};

/** DuckDB draws plans itself. */
const plan: MakeWriter = () => ({
  cell: 'plain',
  head: '',
  rows: (rows) =>
    rows
      .map((row) => `${(row.at(-1) as string).split('\n').map(escapeForTerminal).join('\n')}\n`)
      .join(''),
  tail: () => '',
});

function jsonObject(names: readonly string[]): (row: readonly string[]) => string {
  const keys = distinctNames(names).map(jsonString);
  return (row) => `{${row.map((value, index) => `${keys[index]}:${value}`).join(',')}}`;
}

const markdownRow = (cells: readonly string[]): string =>
  `| ${cells.map(markdownText).join(' | ')} |\n`;

/** Text that Markdown would not show literally: markup, HTML, and addresses that become links. */
const markdownMarks =
  /[\\`*[\]<>|&~$]|:(?=\/\/)|(?<=\bwww)\.|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|@/giu;

/** Escapes text for Markdown: a captured string must not become a link or HTML. */
function markdownText(text: string): string {
  const escaped = escapeForTerminal(text).replace(markdownMarks, '\\$&');
  return escaped.replace(/^ | $/g, '&#32;');
}
