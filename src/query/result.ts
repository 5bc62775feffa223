import { type DuckDBResult, type DuckDBType, StatementType } from '@duckdb/node-api';
import { escapeForTerminal } from '../engine/escape.js';
import type { ByteSink } from '../export/sink.js';
import { TableText } from '../export/table-text.js';
import { csvText, jsonString } from '../export/values.js';
import { distinctNames } from './columns.js';
import type { TextFormat } from './formats.js';
import { rowReader } from './rows.js';
import { isNumeric, type ValueWriter } from './values.js';

/** Cells of a drawn table are cut at this many characters; every other format gives all of it. */
const maxCell = 100;

/** Small results may come as several chunks; a table sets its widths by this many rows. */
const rowsAtOnce = 2048;

/** Writes a result as text while it is computed. */
export async function writeText(result: DuckDBResult, format: TextFormat, sink: ByteSink): Promise<void> {
  const types = result.columnTypes();
  const isPlan = format === 'table' && result.statementType === StatementType.EXPLAIN;
  const writer = (isPlan ? plan : writers[format])(result.columnNames(), types);
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
    pending.push(...rowsOf(chunk));
    if (pending.length >= rowsAtOnce) await flush();
  }
  await flush();
  await sink.write(writer.tail(rowCount));
}

interface Writer {
  /** How the values of the rows are written. */
  cell: keyof ValueWriter;
  head: string;
  rows(rows: readonly (readonly string[])[], before: number): string;
  tail(count: number): string;
}

type MakeWriter = (names: readonly string[], types: readonly DuckDBType[]) => Writer;

const writers: Record<TextFormat, MakeWriter> = {
  table(names, types) {
    const columns = names.map((name, index) => ({ name, right: isRight(types[index]) }));
    const table = new TableText(columns, { maxCell });
    return { cell: 'plain', head: '', rows: (rows) => table.rows(rows), tail: () => table.end() };
  },
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
      rows: (rows, before) => rows.map((row, index) => `${before + index === 0 ? '' : ','}\n  ${object(row)}`).join(''),
      tail: (count) => (count === 0 ? ']\n' : '\n]\n'),
    };
  },
  jsonl(names) {
    const object = jsonObject(names);
    return { cell: 'json', head: '', rows: (rows) => rows.map((row) => `${object(row)}\n`).join(''), tail: () => '' };
  },
  markdown: (names, types) => ({
    cell: 'plain',
    head: `${markdownRow(names)}|${types.map((type) => (isRight(type) ? ' ---: |' : ' --- |')).join('')}\n`,
    rows: (rows) => rows.map(markdownRow).join(''),
    tail: () => '',
  }),
};

/** A drawn plan has lines of its own. */
const plan: MakeWriter = () => ({
  cell: 'plain',
  head: '',
  rows: (rows) =>
    rows.map((row) => `${(row.at(-1) as string).split('\n').map(escapeForTerminal).join('\n')}\n`).join(''),
  tail: () => '',
});

const isRight = (type: DuckDBType | undefined): boolean => type !== undefined && isNumeric(type.typeId);

function jsonObject(names: readonly string[]): (row: readonly string[]) => string {
  const keys = distinctNames(names).map(jsonString);
  return (row) => `{${row.map((value, index) => `${keys[index]}:${value}`).join(',')}}`;
}

const markdownRow = (cells: readonly string[]): string => `| ${cells.map(markdownText).join(' | ')} |\n`;

/** What Markdown would show in another way than as it is: marks, HTML, and addresses that become links. */
const markdownMarks = /[\\`*[\]<>|&~$]|:(?=\/\/)|(?<=\bwww)\.|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|@/giu;

/** Text that Markdown shows as it is: a captured string must not become a link or HTML. */
function markdownText(text: string): string {
  const escaped = escapeForTerminal(text).replace(markdownMarks, '\\$&');
  return escaped.replace(/^ | $/g, '&#32;');
}
