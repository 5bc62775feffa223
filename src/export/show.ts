import { statSync } from 'node:fs';
import type { CellValue, ColumnBatch } from '../engine/batch.js';
import { type TableName, tableColumns, tables } from '../engine/columns.gen.js';
import { SfkitError } from '../engine/errors.js';
import { isStreamInput, looksLikeCapture, standardInput } from '../engine/input-kind.js';
import { openColumns, type Summary } from '../engine/session.js';
import type { ByteSink } from './sink.js';
import { TableText } from './table-text.js';
import { csvHeader, csvLines, jsonLines } from './text.js';
import { isoTime } from './values.js';

export const showFormats = ['table', 'json', 'jsonl', 'csv'] as const;
export type ShowFormat = (typeof showFormats)[number];

/** The columns of a drawn table of events or flows: those of sysprint. */
const rowColumns = [
  'ts',
  'type',
  'proc_exe',
  'proc_args',
  'pproc_pid',
  'proc_pid',
  'proc_tid',
  'opflags',
  'res',
  'flow_rbytes',
  'flow_wbytes',
  'container_id',
];

const entityColumns: Partial<Record<TableName, readonly string[]>> = {
  process: ['ts', 'state', 'proc_pid', 'pproc_pid', 'proc_user', 'proc_exe', 'proc_args', 'container_id'],
  file: ['ts', 'state', 'file_type', 'file_path', 'container_id'],
  k8s_event: ['ts', 'type', 'k8s_action', 'k8s_kind', 'k8s_msg'],
};

/** Cells of a drawn table are cut at this many characters. */
const maxCell = 40;

/** Prints the rows of one table of an input. Everything but the drawn table has all columns. */
export async function show(input: string, table: TableName, format: ShowFormat, sink: ByteSink): Promise<Summary> {
  if (isStreamInput(input)) {
    throw new SfkitError(
      'INPUT_NOT_SUPPORTED',
      `${input === standardInput ? 'standard input' : input}: show reads files, not pipes`,
    );
  }
  // Small batches: what is drawn appears soon.
  const session = openColumns({
    input,
    kind: kindToShow(input),
    tables: [table],
    batchRows: format === 'table' ? 1000 : 8192,
  });
  const writer = writerOf(table, format);
  let started = false;
  for await (const batch of session) {
    // Nothing is printed for an input that does not open.
    if (!started) await sink.write(writer.head);
    started = true;
    for (const piece of writer.rows(batch)) await sink.write(piece);
  }
  if (!started) await sink.write(writer.head);
  await sink.write(writer.tail());
  await sink.close();
  return session.summary();
}

/** Captures can be shown too; whatever else it is was meant as a SysFlow file, and is spoken of as one. */
function kindToShow(path: string): 'capture' | 'sysflow' {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new SfkitError('INPUT_NOT_A_FILE', `${path}: is a directory, expected a SysFlow file`);
  }
  return looksLikeCapture(path) ? 'capture' : 'sysflow';
}

interface Writer {
  head: string;
  rows(batch: ColumnBatch): Iterable<string>;
  tail(): string;
}

function writerOf(table: TableName, format: ShowFormat): Writer {
  if (format === 'csv') return { head: csvHeader(table), rows: csvLines, tail: () => '' };
  if (format === 'jsonl') return { head: '', rows: jsonLines, tail: () => '' };
  return format === 'json' ? jsonArray() : drawnTable(table);
}

function jsonArray(): Writer {
  let isFirst = true;
  return {
    head: '[',
    *rows(batch) {
      for (const piece of jsonLines(batch)) {
        const lines = piece.slice(0, -1).split('\n');
        yield `${isFirst ? '' : ','}\n  ${lines.join(',\n  ')}`;
        isFirst = false;
      }
    },
    tail: () => (isFirst ? ']\n' : '\n]\n'),
  };
}

function drawnTable(table: TableName): Writer {
  const isEntity = tables.find((spec) => spec.name === table)?.kind === 'entity';
  const wanted = entityColumns[table] ?? (isEntity ? undefined : rowColumns);
  const columns =
    wanted === undefined
      ? [...tableColumns[table]]
      : wanted.flatMap((name) => tableColumns[table].filter((column) => column.name === name));
  const drawing = new TableText(
    columns.map((column) => ({ name: column.name, right: column.type === 'i32' || column.type === 'i64' })),
    { maxCell },
  );
  return {
    head: '',
    *rows(batch) {
      const shown = columns.map((column) => batch.column(column.name));
      const rows = Array.from({ length: batch.rows }, (_, row) =>
        shown.map((column) => cellText(column.get(row), column.type)),
      );
      yield drawing.rows(rows);
    },
    tail: () => drawing.end(),
  };
}

function cellText(value: CellValue, type: string): string {
  if (value === null) return '';
  if (typeof value === 'bigint' && type === 'ts') return isoTime(value);
  return typeof value === 'object' ? value.join(' ') : String(value);
}
