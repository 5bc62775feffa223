import type { DrawOptions } from '../draw/types.js';
import { type TableName, tableColumns, tables } from '../engine/columns.gen.js';
import type { CompatMode } from '../engine/config.js';
import type { Summary } from '../engine/session.js';
import type { ByteSink } from '../output/sink.js';
import { type SingleInput, singleInputs } from '../query/inputs.js';
import type { Selected } from './attributes.js';
import type { RowFilter } from './filter.js';
import { type Candidate, merged, timeReader } from './merge.js';
import { openSource, type Source } from './source.js';
import { type ShowFormat, writerOf } from './writers.js';

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

/** Maximum time, in ms, to count the rows that are not drawn. */
const maxCountingTime = 1000;

/** Whether the table has events or flows, which a condition can select. */
export function hasConditions(table: TableName): boolean {
  return tables.find(({ name }) => name === table)?.kind !== 'entity';
}

/** The columns of a drawn table. `withPods`: with the names of pods. */
export function drawnColumns(table: TableName, withPods: boolean): Selected[] {
  const wanted = entityColumns[table] ?? (hasConditions(table) ? rowColumns : undefined);
  const names = tableColumns[table].map(({ name }) => name);
  if (wanted === undefined) return named(names);
  const pods = withPods && hasConditions(table) ? ['pod_name'] : [];
  return named([...wanted, ...pods].filter((name) => names.includes(name)));
}

/** All columns of a table. */
export function allColumns(table: TableName): Selected[] {
  return named(tableColumns[table].map(({ name }) => name));
}

function named(columns: readonly string[]): Selected[] {
  return columns.map((column) => ({ label: column, column }));
}

/** How the inputs of show() are read and written. */
export interface ShowOptions extends DrawOptions {
  /** Default: those of a drawn table, and all in other formats. */
  columns?: readonly Selected[] | undefined;
  /** Maximum rows of every format; a drawn table says how many more there are. Default: all. */
  rows?: number | undefined;
  /** Only rows for which it is true. */
  filter?: RowFilter | undefined;
  /** Reads captures as the collector does. */
  compat?: CompatMode | undefined;
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

/** The inputs of `show` that paths name: files, and what directories hold. */
export function showInputs(paths: readonly string[]): SingleInput[] {
  return singleInputs(paths, 'show');
}

/**
 * Prints the rows of one table of some inputs, in the order of time. Every format but the drawn
 * table has all columns unless some are selected.
 */
export async function show(
  inputs: readonly SingleInput[],
  table: TableName,
  format: ShowFormat,
  sink: ByteSink,
  { columns, rows, filter, compat, each = (read) => read(), ...draw }: ShowOptions = {},
): Promise<Shown[]> {
  const selected = columns ?? (format === 'table' ? drawnColumns(table, false) : allColumns(table));
  const writer = writerOf(table, format, selected, draw, rows);
  const options = {
    table,
    columns: read(table, selected),
    // Small batches, so that the first rows appear soon.
    batchRows: format === 'table' ? 1000 : 8192,
    filter,
    compat,
  };
  const shown: (Shown | undefined)[] = inputs.map(() => undefined);
  const counting = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  try {
    const candidates: Candidate[] = [];
    for (const [place, input] of inputs.entries()) {
      const start =
        inputs.length === 1 ? {} : await each(() => startOf(input, { ...options, batchRows: 64 }));
      if (start === undefined) continue;
      candidates.push({
        place,
        first: start.time,
        open: async () => {
          const source = await each(() => openSource(input, options));
          return source && readWith(source, each);
        },
        done: async (source) => {
          shown[place] = { input: input.path, summary: await source.summary() };
        },
      });
    }
    for await (const piece of merged(candidates, counting.signal)) {
      await writer.add(piece, sink);
      if (writer.isFull) timer ??= setTimeout(() => counting.abort(), maxCountingTime);
    }
    // Inputs of which none opens print nothing.
    if (shown.some((one) => one !== undefined)) await writer.end(sink, !counting.signal.aborted);
    await sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return shown.flatMap((one) => one ?? []);
}

/** The columns that rows are read for, with those that others are derived from. */
function read(table: TableName, selected: readonly Selected[]): string[] {
  const wanted = new Set(selected.map(({ column }) => column));
  const physical = new Set(
    tableColumns[table].flatMap(({ name, physical }) => (wanted.has(name) ? [physical] : [])),
  );
  return tableColumns[table]
    .filter((column) => !column.derived && physical.has(column.physical))
    .map(({ name }) => name);
}

/** A source that ends where it is unreadable, if `each` reports that. */
function readWith(source: Source, each: NonNullable<ShowOptions['each']>): Source {
  const next = async () => (await each(async () => [await source.next()]))?.[0];
  return { ...source, next };
}

/** The time of an input's first row. */
async function startOf(
  input: SingleInput,
  options: Parameters<typeof openSource>[1],
): Promise<{ time?: bigint | undefined }> {
  const source: Source = await openSource(input, { ...options, filter: undefined });
  try {
    const batch = await source.next();
    if (batch === undefined) return {};
    const isTimed = batch.columns.some(({ name }) => name === 'ts_uts');
    return { time: isTimed ? timeReader(batch)(0) : undefined };
  } finally {
    source.close();
  }
}
