import { statSync } from 'node:fs';
import { Drawing } from '../draw/drawing.js';
import type { Cell, DrawnColumn, DrawOptions, Remaining } from '../draw/types.js';
import type { CellValue, ColumnBatch } from '../engine/batch.js';
import { type TableColumn, type TableName, tableColumns, tables } from '../engine/columns.gen.js';
import { SfkitError } from '../engine/errors.js';
import { isStreamInput, looksLikeCapture, standardInput } from '../engine/input-kind.js';
import { openColumns, type Session, type Summary } from '../engine/session.js';
import type { ByteSink } from '../output/sink.js';
import { csvHeader, csvLines, jsonLines } from './text.js';
import { isoTime } from './values.js';

export const showFormats = ['table', 'json', 'jsonl', 'csv'] as const;
export type ShowFormat = (typeof showFormats)[number];

/** The columns of a drawn table of events or flows, as in sysprint. */
const rowColumns: readonly string[] = [
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
  process: [
    'ts',
    'state',
    'proc_pid',
    'pproc_pid',
    'proc_user',
    'proc_exe',
    'proc_args',
    'container_id',
  ],
  file: ['ts', 'state', 'file_type', 'file_path', 'container_id'],
  k8s_event: ['ts', 'type', 'k8s_action', 'k8s_kind', 'k8s_msg'],
};

/** On a narrow screen these columns are left out, highest rank first. */
const ranks: Readonly<Record<string, number>> = {
  proc_tid: 6,
  pproc_pid: 5,
  container_id: 4,
  proc_args: 3,
  flow_rbytes: 2,
  flow_wbytes: 2,
  type: 1,
};

/** Maximum time, in ms, to count the rows that are not drawn. */
const maxCountingTime = 1000;

/** How the inputs of show() are read. */
export interface ShowOptions extends DrawOptions {
  /**
   * Reads one input; undefined if it is unreadable and the others are shown anyway. Default: an
   * unreadable input ends everything.
   */
  each?: (<Result>(read: () => Promise<Result>) => Promise<Result | undefined>) | undefined;
}

/** A shown input. */
export interface Shown {
  input: string;
  summary: Summary;
}

/**
 * Prints the rows of one table of some inputs. Every format but the drawn table has all columns.
 */
export async function show(
  inputs: readonly string[],
  table: TableName,
  format: ShowFormat,
  sink: ByteSink,
  { each = (read) => read(), ...draw }: ShowOptions = {},
): Promise<Shown[]> {
  const rows = format === 'table' ? tableRows(table, draw) : textRows(writerOf(table, format));
  const shown: Shown[] = [];
  try {
    for (const input of inputs) {
      const summary = await each(async () => {
        const session = openInput(input, table, format);
        await rows.add(session, sink);
        return session.summary();
      });
      if (summary !== undefined) shown.push({ input, summary });
    }
    // Inputs of which none opens print nothing.
    if (shown.length > 0) await rows.end(sink);
    await sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  }
  return shown;
}

function openInput(input: string, table: TableName, format: ShowFormat): Session<ColumnBatch> {
  if (isStreamInput(input)) {
    throw new SfkitError(
      'INPUT_NOT_SUPPORTED',
      `${input === standardInput ? 'standard input' : input}: show reads files, not pipes`,
    );
  }
  // Small batches, so that the first rows appear soon.
  return openColumns({
    input,
    kind: kindToShow(input),
    tables: [table],
    batchRows: format === 'table' ? 1000 : 8192,
  });
}

/** Rows of several inputs on their way to a sink. */
interface Rows {
  add(session: Session<ColumnBatch>, sink: ByteSink): Promise<void>;
  end(sink: ByteSink): Promise<void>;
}

function textRows(writer: Writer): Rows {
  let started = false;
  const start = async (sink: ByteSink) => {
    if (!started) await sink.write(writer.head);
    started = true;
  };
  return {
    async add(session, sink) {
      for await (const batch of session) {
        await start(sink);
        for (const piece of writer.rows(batch)) await sink.write(piece);
      }
    },
    async end(sink) {
      await start(sink);
      await sink.write(writer.tail());
    },
  };
}

/** Captures can be shown too; errors call any other input a SysFlow file. */
function kindToShow(path: string): 'capture' | 'sysflow' {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new SfkitError('INPUT_NOT_A_FILE', `${path}: expected a SysFlow file, found a directory`);
  }
  return looksLikeCapture(path) ? 'capture' : 'sysflow';
}

interface Writer {
  head: string;
  rows(batch: ColumnBatch): Iterable<string>;
  tail(): string;
}

function writerOf(table: TableName, format: Exclude<ShowFormat, 'table'>): Writer {
  if (format === 'csv') return { head: csvHeader(table), rows: csvLines, tail: () => '' };
  if (format === 'jsonl') return { head: '', rows: jsonLines, tail: () => '' };
  return jsonArray();
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

function tableRows(table: TableName, options: DrawOptions): Rows {
  const columns = shownColumns(table);
  const drawing = new Drawing(columns.map(drawnColumn), options);
  const more: Remaining = { count: 0, isExact: true };
  return {
    async add(session, sink) {
      let timer: NodeJS.Timeout | undefined;
      try {
        for await (const batch of session) {
          const cells = columns.map(({ name }) => batch.column(name));
          const shown = Math.min(batch.rows, drawing.room);
          for (let row = 0; row < shown; row++) {
            const text = drawing.add(cells.map((column) => cellText(column.get(row), column.type)));
            if (text !== '') await sink.write(text);
          }
          more.count += batch.rows - shown;
          if (drawing.room > 0) continue;
          timer ??= setTimeout(() => {
            more.isExact = false;
            session.close();
          }, maxCountingTime);
        }
      } finally {
        clearTimeout(timer);
      }
    },
    async end(sink) {
      await sink.write(drawing.end(more));
    },
  };
}

function shownColumns(table: TableName): readonly TableColumn[] {
  const isEntity = tables.find((spec) => spec.name === table)?.kind === 'entity';
  const wanted = entityColumns[table] ?? (isEntity ? undefined : rowColumns);
  return wanted === undefined
    ? tableColumns[table]
    : wanted.flatMap((name) => tableColumns[table].filter((column) => column.name === name));
}

function drawnColumn({ name, type }: TableColumn): DrawnColumn {
  return {
    name,
    right: type === 'i32' || type === 'i64',
    long: type === 'ts' ? 'time' : 'cut',
    rank: ranks[name] ?? 0,
    ...(name === 'proc_exe' && { least: minProgram }),
  };
}

/** Width for the last element of a program's path. */
const minProgram = 10;

function cellText(value: CellValue, type: string): Cell {
  if (value === null) return null;
  if (typeof value === 'bigint' && type === 'ts') return isoTime(value);
  return typeof value === 'object' ? value.join(' ') : String(value);
}
