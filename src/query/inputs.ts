import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { type TableName, tables } from '../engine/columns.gen.js';
import { SfkitError } from '../engine/errors.js';

/** One file to query. */
export type QueryInput =
  /** A capture or SysFlow file, read by the engine. */
  | { kind: 'engine'; path: string }
  /** Files of tables; `table` is what their name says, if it says one. */
  | { kind: 'parquet'; path: string; table: TableName | undefined }
  | { kind: 'arrow'; path: string; table: TableName | undefined };

/** The files behind paths: directories hold table files as `sfkit convert` writes them, or captures. */
export function resolveInputs(paths: readonly string[]): QueryInput[] {
  return paths.flatMap((path) => {
    const info = statSync(path, { throwIfNoEntry: false });
    if (info === undefined) throw new SfkitError('INPUT_NOT_FOUND', `${path}: no such file or directory`);
    return info.isDirectory() ? fromDirectory(path) : [fromFile(path)];
  });
}

const tableNames = new Set<string>(tables.map((table) => table.name));

function fromDirectory(directory: string): QueryInput[] {
  const names = readdirSync(directory).sort();
  const has = (ending: string) =>
    names.filter((name) => tableNames.has(basename(name, ending)) && extname(name) === ending);
  const parquet = has('.parquet');
  const arrow = has('.arrow');
  if (parquet.length > 0 && arrow.length > 0) {
    throw new SfkitError(
      'INPUT_NOT_SUPPORTED',
      `${directory} holds tables as .parquet and as .arrow; name the files of one kind`,
    );
  }
  const inside = [
    ...parquet,
    ...arrow,
    ...names.filter((name) => /\.(sf|scap|scap\.gz)$/i.test(name) || name.endsWith('.sysflow')),
  ];
  if (inside.length === 0) {
    const text = has('.jsonl').length + has('.csv').length > 0;
    const found = text
      ? 'it holds text tables, and query reads .parquet and .arrow'
      : 'it holds no tables, captures or .sf files';
    throw new SfkitError('INPUT_NOT_SUPPORTED', `${directory}: nothing to query: ${found}`);
  }
  return resolveInputs(inside.map((name) => join(directory, name)));
}

function fromFile(path: string): QueryInput {
  const start = firstBytes(path, 6);
  const stem = basename(path, extname(path));
  const table = tableNames.has(stem) ? (stem as TableName) : undefined;
  if (start.subarray(0, 4).equals(Buffer.from('PAR1'))) return { kind: 'parquet', path, table };
  const isArrowStream = start.length >= 4 && start.readUInt32LE(0) === 0xffffffff;
  if (start.equals(Buffer.from('ARROW1')) || isArrowStream) return { kind: 'arrow', path, table };
  return { kind: 'engine', path };
}

function firstBytes(path: string, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw new SfkitError('INPUT_UNREADABLE', `cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`, {
      cause: error,
    });
  }
  try {
    return bytes.subarray(0, readSync(descriptor, bytes, 0, count, 0));
  } finally {
    closeSync(descriptor);
  }
}
