import { dirname, join } from 'node:path';
import type { ColumnBatch } from '../engine/batch.js';
import { type TableName, tables as tableSpecs } from '../engine/columns.gen.js';
import { TextBudget } from '../engine/dictionary.js';
import { unwritable } from '../engine/errors.js';
import { makeOwnDirectory, type OwnDirectory } from '../output/own-directory.js';
import { pendingDirectory, scratchDirectory } from '../output/pending.js';
import {
  type ByteSink,
  isStream,
  openSink,
  plainFileSink,
  type SinkOptions,
} from '../output/sink.js';
import { stageFile } from '../output/staged.js';
import { type Conversion, extension, type Format } from './plan.js';
import { csvHeader, csvLines, jsonLines } from './text.js';

export type TableFormat = Exclude<Format, 'avro' | 'duckdb'>;

/** Takes the batches of a session. The output gets its name at finish(). */
export interface TableOutput {
  write(batch: ColumnBatch): Promise<void>;
  finish(): Promise<void>;
  discard(): void;
}

/**
 * The tables of an output: the selected one in a file, all tables of records in a directory or
 * database.
 */
export function tablesOf(
  { shape, format }: Pick<Conversion, 'shape' | 'format'>,
  table: TableName | undefined,
): TableName[] {
  if (shape !== 'directory' && format !== 'duckdb') return [table ?? 'sysflow'];
  return tableSpecs.filter((spec) => spec.kind !== 'all').map((spec) => spec.name);
}

/**
 * Opens the output of a conversion: one table in a file or on standard output, any number in a
 * directory.
 */
export async function openTables(
  conversion: Conversion,
  tables: readonly TableName[],
  options: SinkOptions = {},
): Promise<TableOutput> {
  if (conversion.format === 'duckdb') {
    const { openDatabaseFile } = await import('./database.js');
    return openDatabaseFile(conversion, tables, options);
  }
  const format = conversion.format as TableFormat;
  if (format === 'parquet') return openParquet(conversion, tables, options);
  return conversion.shape === 'directory'
    ? openDirectory(conversion.output, format, tables, options)
    : openOne(conversion, format, tables, options);
}

/** Writes one table's rows to one stream of bytes. */
interface TableWriter {
  write(batch: ColumnBatch): Promise<void>;
  close(): Promise<void>;
  discard(): void;
}

interface WriterOptions {
  /** Directory for the rows of an Arrow file; if undefined, Arrow is written as a stream. */
  scratch: string | undefined;
  budget: TextBudget;
}

async function openWriter(
  format: TableFormat,
  table: TableName,
  sink: ByteSink,
  { scratch, budget }: WriterOptions,
): Promise<TableWriter> {
  if (format === 'arrow') {
    const { ArrowTableFile, ArrowTableStream } = await import('./arrow.js');
    if (scratch !== undefined) {
      return new ArrowTableFile(table, sink, { scratch: join(scratch, `${table}.rows`), budget });
    }
    const writer = new ArrowTableStream(table, sink);
    await writer.begin();
    return writer;
  }
  if (format === 'csv') await sink.write(csvHeader(table));
  const toText = format === 'csv' ? csvLines : jsonLines;
  return {
    async write(batch) {
      for (const piece of toText(batch)) await sink.write(piece);
    },
    close: () => sink.close(),
    discard: () => {},
  };
}

async function openOne(
  conversion: Conversion,
  format: TableFormat,
  tables: readonly TableName[],
  options: SinkOptions,
): Promise<TableOutput> {
  const { output } = conversion;
  const sink = openSink(output, options);
  const scratch =
    isArrowFile(format, options) && !isStream(output)
      ? scratchDirectory(dirname(output), output)
      : undefined;
  let writer: TableWriter | undefined;
  const discard = () => {
    writer?.discard();
    sink.discard();
    scratch?.discard();
  };
  try {
    writer = await openWriter(format, tables[0] as TableName, sink, {
      scratch: scratch?.path,
      budget: new TextBudget(),
    });
  } catch (error) {
    discard();
    throw unwritable(output, error);
  }
  const { write, close } = guardWriter(writer, output);
  return {
    write,
    async finish() {
      await close();
      scratch?.discard();
    },
    discard,
  };
}

/** An output that may stay unfinished must be readable without its end, and so a stream. */
function isArrowFile(format: TableFormat, { keeps }: SinkOptions): boolean {
  return format === 'arrow' && !keeps;
}

async function openDirectory(
  target: string,
  format: TableFormat,
  tables: readonly TableName[],
  options: SinkOptions,
): Promise<TableOutput> {
  const pending = pendingDirectory(target, options);
  const sinks: ByteSink[] = [];
  const writers = new Map<TableName, TableWriter>();
  const discard = () => {
    for (const writer of writers.values()) writer.discard();
    for (const sink of sinks) sink.discard();
    pending.discard();
  };
  const budget = new TextBudget();
  let scratch: OwnDirectory | undefined;
  try {
    if (isArrowFile(format, options)) scratch = makeScratch(pending.path);
    for (const table of tables) {
      const name = `${table}${extension(format)}`;
      const shownAs = join(target, name);
      const sink = plainFileSink(join(pending.path, name), { shownAs, mode: pending.mode });
      sinks.push(sink);
      writers.set(
        table,
        guardWriter(
          await openWriter(format, table, sink, { scratch: scratch?.path, budget }),
          shownAs,
        ),
      );
    }
  } catch (error) {
    discard();
    throw unwritable(target, error);
  }
  return {
    async write(batch) {
      await writers.get(batch.table)?.write(batch);
    },
    async finish() {
      for (const writer of writers.values()) await writer.close();
      scratch?.remove();
      pending.commit();
    },
    discard,
  };
}

/** Wraps a writer so that its errors, including those of its scratch file, name the output. */
function guardWriter(writer: TableWriter, shownAs: string): TableWriter {
  const guarded = async (action: Promise<void>) => {
    try {
      await action;
    } catch (error) {
      throw unwritable(shownAs, error);
    }
  };
  return {
    write: (batch) => guarded(writer.write(batch)),
    close: () => guarded(writer.close()),
    discard: () => writer.discard(),
  };
}

function makeScratch(directory: string): OwnDirectory {
  return makeOwnDirectory(join(directory, '.scratch'));
}

async function openParquet(
  conversion: Conversion,
  tables: readonly TableName[],
  options: SinkOptions,
): Promise<TableOutput> {
  const { ParquetWriter } = await import('./parquet.js');
  const place = parquetPlace(conversion, tables, options);
  let writer: InstanceType<typeof ParquetWriter>;
  try {
    writer = new ParquetWriter(place.scratch, tables, conversion);
  } catch (error) {
    place.discard();
    throw unwritable(conversion.output, error);
  }
  return {
    async write(batch) {
      try {
        writer.append(batch);
      } catch (error) {
        throw unwritable(conversion.output, error);
      }
    },
    async finish() {
      try {
        await writer.write(place.paths);
      } catch (error) {
        throw unwritable(conversion.output, error);
      }
      writer.close();
      await place.commit();
    },
    discard() {
      writer.close();
      place.discard();
    },
  };
}

interface ParquetPlace {
  /** Directory of the temporary database; on the output's disk if the output is a file. */
  scratch: string;
  paths: ReadonlyMap<TableName, string>;
  commit(): Promise<void>;
  discard(): void;
}

function parquetPlace(
  conversion: Conversion,
  tables: readonly TableName[],
  options: SinkOptions,
): ParquetPlace {
  if (conversion.shape === 'directory') {
    const pending = pendingDirectory(conversion.output, options);
    const scratch = makeScratch(pending.path);
    return {
      scratch: scratch.path,
      paths: new Map(tables.map((table) => [table, join(pending.path, `${table}.parquet`)])),
      async commit() {
        scratch.remove();
        pending.commit();
      },
      discard: () => pending.discard(),
    };
  }
  const { scratch, path, commit, discard } = stageFile(conversion.output, 'table.parquet', options);
  return { scratch, paths: new Map([[tables[0] as TableName, path]]), commit, discard };
}
