import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ColumnBatch } from '../engine/batch.js';
import { type TableName, tables as tableSpecs } from '../engine/columns.gen.js';
import { unwritable } from '../engine/errors.js';
import { modeOf, pendingDirectory } from './pending.js';
import { type Conversion, extension, type Format } from './plan.js';
import { type ByteSink, isStream, openSink, plainFileSink, type SinkOptions } from './sink.js';
import { stageFile } from './staged.js';
import { csvHeader, csvLines, jsonLines } from './text.js';

export type TableFormat = Exclude<Format, 'avro' | 'duckdb'>;

/** Takes the batches of a session. Nothing shows under the output's name before finish(). */
export interface TableOutput {
  write(batch: ColumnBatch): Promise<void>;
  finish(): Promise<void>;
  discard(): void;
}

/** The tables that an output holds: a file the one that was asked for, a directory or database every one of records. */
export function tablesOf(
  { shape, format }: Pick<Conversion, 'shape' | 'format'>,
  table: TableName | undefined,
): TableName[] {
  if (shape !== 'directory' && format !== 'duckdb') return [table ?? 'sysflow'];
  return tableSpecs.filter((spec) => spec.kind !== 'all').map((spec) => spec.name);
}

/** Opens the output of a conversion for these tables: one in a file or on standard output, any number in a directory. */
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

/** One table's rows in one stream of bytes. */
interface TableWriter {
  write(batch: ColumnBatch): Promise<void>;
  close(): Promise<void>;
}

async function openWriter(
  format: TableFormat,
  table: TableName,
  sink: ByteSink,
  form: 'file' | 'stream',
): Promise<TableWriter> {
  if (format === 'arrow') {
    const { ArrowTableWriter } = await import('./arrow.js');
    const writer = new ArrowTableWriter(table, form, sink);
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
  };
}

async function openOne(
  conversion: Conversion,
  format: TableFormat,
  tables: readonly TableName[],
  options: SinkOptions,
): Promise<TableOutput> {
  const sink = openSink(conversion.output, options);
  const form = arrowForm(conversion.output, options);
  const writer = await openWriter(format, tables[0] as TableName, sink, form);
  return { write: (batch) => writer.write(batch), finish: () => writer.close(), discard: () => sink.discard() };
}

/** What may never be finished must be readable without its end. */
function arrowForm(target: string, { keeps }: SinkOptions): 'file' | 'stream' {
  return keeps || isStream(target) ? 'stream' : 'file';
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
    for (const sink of sinks) sink.discard();
    pending.discard();
  };
  try {
    for (const table of tables) {
      const name = `${table}${extension(format)}`;
      const sink = plainFileSink(join(pending.path, name), { shownAs: join(target, name), mode: modeOf(options) });
      sinks.push(sink);
      writers.set(table, await openWriter(format, table, sink, arrowForm(name, options)));
    }
  } catch (error) {
    discard();
    throw error;
  }
  return {
    async write(batch) {
      await writers.get(batch.table)?.write(batch);
    },
    async finish() {
      for (const writer of writers.values()) await writer.close();
      pending.commit();
    },
    discard,
  };
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
    writer = new ParquetWriter(place.scratch, tables);
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
        if (options.isPrivate) for (const path of place.paths.values()) makePrivate(path);
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

/** While nobody else can reach the file yet. */
function makePrivate(path: string): void {
  try {
    chmodSync(path, 0o600);
  } catch {
    // A file system without permissions, or with those of all its files fixed.
  }
}

interface ParquetPlace {
  /** For the passing database: on the output's own disk where it has one. */
  scratch: string;
  paths: ReadonlyMap<TableName, string>;
  commit(): Promise<void>;
  discard(): void;
}

function parquetPlace(conversion: Conversion, tables: readonly TableName[], options: SinkOptions): ParquetPlace {
  if (conversion.shape === 'directory') {
    const pending = pendingDirectory(conversion.output, options);
    const scratch = join(pending.path, '.scratch');
    mkdirSync(scratch);
    return {
      scratch,
      paths: new Map(tables.map((table) => [table, join(pending.path, `${table}.parquet`)])),
      async commit() {
        rmSync(scratch, { recursive: true, force: true });
        pending.commit();
      },
      discard: () => pending.discard(),
    };
  }
  const { scratch, path, commit, discard } = stageFile(conversion.output, 'table.parquet', options);
  return { scratch, paths: new Map([[tables[0] as TableName, path]]), commit, discard };
}
