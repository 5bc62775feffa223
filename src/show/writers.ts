import { Drawing } from '../draw/drawing.js';
import type { Cell, DrawnColumn, DrawOptions } from '../draw/types.js';
import type { CellValue, Column, ColumnBatch } from '../engine/batch.js';
import { type TableColumn, type TableName, tableColumns } from '../engine/columns.gen.js';
import { csvRows, jsonRows, type RowLines } from '../export/text.js';
import { isoTime } from '../export/values.js';
import type { ByteSink } from '../output/sink.js';
import { attributeName, type Selected } from './attributes.js';
import type { Piece } from './merge.js';

export const showFormats = ['table', 'json', 'jsonl', 'flatjson', 'nestedjson', 'csv'] as const;
export type ShowFormat = (typeof showFormats)[number];

/** Writes rows to a sink. */
export interface RowWriter {
  add(piece: Piece, sink: ByteSink): Promise<void>;
  /** Further rows are only counted. */
  readonly isFull: boolean;
  /** `isComplete`: there were no more rows. */
  end(sink: ByteSink, isComplete: boolean): Promise<void>;
}

export function writerOf(
  table: TableName,
  format: ShowFormat,
  selected: readonly Selected[],
  draw: DrawOptions,
  maxRows = Number.POSITIVE_INFINITY,
): RowWriter {
  switch (format) {
    case 'table':
      return new TableWriter(table, selected, draw);
    case 'json':
      return new ArrayWriter((batch) => flatLines(batch, selected, ({ label }) => label), maxRows);
    case 'jsonl':
      return new TextWriter((batch) => flatLines(batch, selected, ({ label }) => label), maxRows);
    case 'flatjson':
      return new TextWriter(
        (batch) => flatLines(batch, selected, ({ column }) => attributeName(column), jsonColumns),
        maxRows,
      );
    case 'nestedjson':
      return new TextWriter((batch) => nestedLines(batch, selected), maxRows);
    case 'csv':
      return new TextWriter(
        (batch) => csvRows(batch, columnsOf(batch, selected)),
        maxRows,
        `${selected.map(({ label }) => label).join(',')}\r\n`,
      );
  }
}

/** Columns with texts of JSON, which are values in the formats of sysprint. */
const jsonColumns: ReadonlySet<string> = new Set([
  ...['container_labels', 'pod_labels', 'pod_selectors'],
  ...['pod_hostip', 'pod_internalip', 'pod_services'],
]);

function columnsOf(batch: ColumnBatch, selected: readonly Selected[]): Column[] {
  return selected.map(({ column }) => batch.column(column));
}

function flatLines(
  batch: ColumnBatch,
  selected: readonly Selected[],
  keyOf: (one: Selected) => string,
  asJson?: ReadonlySet<string>,
): RowLines {
  const keys = selected.map((one, index) => `${index === 0 ? '{' : ','}${key(keyOf(one))}`);
  return jsonRows(batch, columnsOf(batch, selected), keys, '}', asJson);
}

/** Objects in objects: {"proc":{"exe":…,"pid":…}}. */
function nestedLines(batch: ColumnBatch, selected: readonly Selected[]): RowLines {
  const groups = new Map<string, { name: string; one: Selected }[]>();
  for (const one of selected) {
    const [section = '', name] = attributeName(one.column).split('.', 2);
    const members = groups.get(section) ?? [];
    groups.set(section, members);
    members.push({ name: name ?? '', one });
  }
  const ordered: Selected[] = [];
  const before: string[] = [];
  let open = '{';
  for (const [section, members] of groups) {
    members.forEach(({ name, one }, index) => {
      const inner = name === '' ? '' : `${index === 0 ? '{' : ''}${key(name)}`;
      before.push(index === 0 ? `${open}${key(section)}${inner}` : `,${inner}`);
      ordered.push(one);
    });
    open = members[0]?.name === '' ? ',' : '},';
  }
  const after = open === '},' ? '}}' : '}';
  return jsonRows(batch, columnsOf(batch, ordered), before, after, jsonColumns);
}

const key = (name: string) => `${JSON.stringify(name)}:`;

class TextWriter implements RowWriter {
  /** Rows that may still come. */
  #room: number;
  readonly #linesOf: (batch: ColumnBatch) => RowLines;
  readonly #known = new WeakMap<ColumnBatch, RowLines>();
  #head: string;

  constructor(linesOf: (batch: ColumnBatch) => RowLines, maxRows: number, head = '') {
    this.#linesOf = linesOf;
    this.#room = maxRows;
    this.#head = head;
  }

  get isFull(): boolean {
    return this.#room <= 0;
  }

  async add({ batch, from, to }: Piece, sink: ByteSink): Promise<void> {
    await this.#start(sink);
    const end = Math.min(to, from + this.#room);
    if (end === from) return;
    this.#room -= end - from;
    const lines = this.#known.get(batch) ?? this.#linesOf(batch);
    this.#known.set(batch, lines);
    for (const piece of lines(from, end)) await sink.write(this.piece(piece));
  }

  async end(sink: ByteSink): Promise<void> {
    await this.#start(sink);
  }

  protected piece(text: string): string {
    return text;
  }

  async #start(sink: ByteSink): Promise<void> {
    if (this.#head !== '') await sink.write(this.#head);
    this.#head = '';
  }
}

/** One array of all rows. */
class ArrayWriter extends TextWriter {
  #isFirst = true;

  constructor(linesOf: (batch: ColumnBatch) => RowLines, maxRows: number) {
    super(linesOf, maxRows, '[');
  }

  protected override piece(text: string): string {
    const lines = text.slice(0, -1).split('\n');
    const before = this.#isFirst ? '' : ',';
    this.#isFirst = false;
    return `${before}\n  ${lines.join(',\n  ')}`;
  }

  override async end(sink: ByteSink): Promise<void> {
    await super.end(sink);
    await sink.write(this.#isFirst ? ']\n' : '\n]\n');
  }
}

class TableWriter implements RowWriter {
  readonly #columns: readonly TableColumn[];
  readonly #drawing: Drawing;
  #more = 0;
  readonly #cells = new WeakMap<ColumnBatch, Column[]>();

  constructor(table: TableName, selected: readonly Selected[], options: DrawOptions) {
    const specs = new Map(tableColumns[table].map((column) => [column.name, column]));
    this.#columns = selected.map(({ column }) => specs.get(column) as TableColumn);
    this.#drawing = new Drawing(
      selected.map(({ label, column }) => drawnColumn(specs.get(column) as TableColumn, label)),
      options,
    );
  }

  get isFull(): boolean {
    return this.#drawing.room <= 0;
  }

  async add({ batch, from, to }: Piece, sink: ByteSink): Promise<void> {
    const cells = this.#cells.get(batch) ?? this.#columns.map(({ name }) => batch.column(name));
    this.#cells.set(batch, cells);
    const end = Math.min(to, from + this.#drawing.room);
    for (let row = from; row < end; row++) {
      const text = this.#drawing.add(cells.map((column) => cellText(column.get(row), column.type)));
      if (text !== '') await sink.write(text);
    }
    this.#more += to - end;
  }

  async end(sink: ByteSink, isComplete: boolean): Promise<void> {
    await sink.write(this.#drawing.end({ count: this.#more, isExact: isComplete }));
  }
}

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

function drawnColumn({ name, type }: TableColumn, label: string): DrawnColumn {
  return {
    name: label,
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
