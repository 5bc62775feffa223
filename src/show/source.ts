import { basename } from 'node:path';
import { TableInput } from '../convert/table-input.js';
import { BatchBuilder } from '../convert/table-rows.js';
import type { ColumnBatch } from '../engine/batch.js';
import type { TableName } from '../engine/columns.gen.js';
import type { CompatMode } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { inputName, isStreamInput, looksLikeCapture, standardInput } from '../engine/input-kind.js';
import { openColumns, type Summary } from '../engine/session.js';
import type { SingleInput } from '../query/inputs.js';
import type { RowFilter } from './filter.js';
import { openFiltered } from './filtered.js';

/** The rows of one table of one input. */
export interface Source {
  next(): Promise<ColumnBatch | undefined>;
  /** Complete at the end of the rows. */
  summary(): Promise<Summary>;
  /** Ends reading; the summary is that of what was read. */
  stop(): void;
  /** Frees what the source uses; no call may follow. */
  close(): void;
}

export interface SourceOptions {
  table: TableName;
  /** Columns that are read of the rows; others may be missing. */
  columns: readonly string[];
  batchRows: number;
  filter?: RowFilter | undefined;
  compat?: CompatMode | undefined;
}

/** Opens a capture, a SysFlow file or tables. */
export async function openSource(input: SingleInput, options: SourceOptions): Promise<Source> {
  if (isStreamInput(input.path)) {
    const name = input.path === standardInput ? 'standard input' : input.path;
    throw new SfkitError('INPUT_NOT_SUPPORTED', `${name}: show reads files, not pipes`);
  }
  if (options.filter !== undefined) return openFiltered(input, options, options.filter);
  return input.tables === undefined ? openRecords(input.path, options) : openTables(input, options);
}

function openRecords(path: string, { table, batchRows, compat }: SourceOptions): Source {
  // Captures can be shown too; errors call any other input a SysFlow file.
  const kind = looksLikeCapture(path) ? 'capture' : 'sysflow';
  const session = openColumns({
    input: path,
    kind,
    tables: [table],
    batchRows,
    ...(kind === 'capture' && { filename: basename(inputName(path)), ...(compat && { compat }) }),
  });
  const batches = session[Symbol.asyncIterator]();
  return {
    next: async () => (await batches.next()).value as ColumnBatch | undefined,
    summary: async () => session.summary(),
    stop: () => session.close(),
    close: () => session.close(),
  };
}

async function openTables(
  { path, tables = [] }: SingleInput,
  { table }: SourceOptions,
): Promise<Source> {
  const input = await TableInput.open(path, tables);
  try {
    if (!input.covers(table)) {
      throw new SfkitError(
        'INPUT_NOT_SUPPORTED',
        `${path}: it has no table ${table}; it has ${input.tableNames.join(', ')}`,
      );
    }
    const rows = await input.rows(table);
    const builder = new BatchBuilder(table);
    let isStopped = false;
    return {
      next: async () => {
        try {
          while (!isStopped && !builder.isFull) {
            const cursor = await rows.next();
            if (cursor === undefined) break;
            input.count(table, cursor);
            builder.add(cursor);
          }
          return isStopped || builder.isEmpty ? undefined : builder.take();
        } catch (error) {
          throw input.problem(error);
        }
      },
      summary: async () => input.summary(),
      stop: () => {
        isStopped = true;
      },
      close: () => {
        rows.close();
        input.close();
      },
    };
  } catch (error) {
    input.close();
    throw input.problem(error);
  }
}
