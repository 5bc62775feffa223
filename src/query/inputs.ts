import {
  closeSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, extname, join } from 'node:path';
import { type TableName, tables } from '../engine/columns.gen.js';
import { reasonOf, SfkitError } from '../engine/errors.js';
import { isStreamInput, looksLikeRecords } from '../engine/input-kind.js';

/** One file to query. */
export type QueryInput = {
  path: string;
  /** Replacement for `filename` if two inputs have the same base name. */
  shownAs?: string;
} & (
  | {
      /** A capture or SysFlow file, read by the engine. */
      kind: 'engine';
    }
  | {
      kind: 'parquet' | 'arrow';
      /** The table that the file name names, if any. */
      table: TableName | undefined;
      /** The directory of tables that contains it. */
      directory?: string;
    }
);

/**
 * Expands paths to files. Directories hold captures, or table files as `sfkit convert` writes them.
 */
export function resolveInputs(paths: readonly string[]): QueryInput[] {
  const inputs = filesOf(paths, 'query');
  // A directory of tables is one input.
  const sources = new Set(inputs.map(sourceOf));
  const count = new Map<string, number>();
  for (const source of sources) count.set(basename(source), (count.get(basename(source)) ?? 0) + 1);
  return inputs.map((input) => {
    const source = sourceOf(input);
    return (count.get(basename(source)) ?? 0) > 1 ? { ...input, shownAs: source } : input;
  });
}

/** One input to convert or show: a capture or SysFlow file, or the tables of one file or directory. */
export interface SingleInput {
  path: string;
  /** Undefined if the engine reads the input. */
  tables?: QueryInput[];
}

/**
 * Expands paths to inputs: a directory of captures is one input per capture, a directory of tables
 * a single input.
 */
export function singleInputs(
  paths: readonly string[],
  purpose: 'convert' | 'show' = 'convert',
): SingleInput[] {
  const singles: SingleInput[] = [];
  const directories = new Map<string, QueryInput[]>();
  for (const input of filesOf(paths, purpose)) {
    if (input.kind === 'engine') {
      singles.push({ path: input.path });
    } else if (input.directory === undefined) {
      singles.push({ path: input.path, tables: [input] });
    } else {
      const files = directories.get(input.directory);
      if (files === undefined) {
        const tables = [input];
        directories.set(input.directory, tables);
        singles.push({ path: input.directory, tables });
      } else {
        files.push(input);
      }
    }
  }
  return singles;
}

function sourceOf(input: QueryInput): string {
  return input.kind === 'engine' ? input.path : (input.directory ?? input.path);
}

type Purpose = 'query' | 'convert' | 'show';

/** `seen`: directories read so far below one path of the user. */
function filesOf(paths: readonly string[], purpose: Purpose, seen?: Set<string>): QueryInput[] {
  return paths.flatMap((path): QueryInput[] => {
    // Reading from a pipe would consume its bytes.
    if (isStreamInput(path)) return [{ kind: 'engine', path }];
    const info = statSync(path, { throwIfNoEntry: false });
    // Other inputs can still be read; the engine reports the error of this one.
    if (info === undefined && purpose !== 'query') return [{ kind: 'engine', path }];
    if (info === undefined)
      throw new SfkitError('INPUT_NOT_FOUND', `${path}: no such file or directory`);
    return info.isDirectory() ? fromDirectory(path, purpose, seen ?? new Set()) : [fromFile(path)];
  });
}

const tableNames = new Set<string>(tables.map((table) => table.name));

const captureOrRecords = /\.(sf|scap|scap\.gz)$/i;
const rotation = /^\d{8}T\d{6}Z(-\d+)?$/;

function fromDirectory(directory: string, purpose: Purpose, seen: Set<string>): QueryInput[] {
  // Links can form a loop, or lead to a directory in exponentially many ways.
  const place = realpathSync(directory);
  if (seen.has(place)) {
    throw new SfkitError(
      'INPUT_NOT_SUPPORTED',
      `${directory}: a link leads to a directory that is already included`,
    );
  }
  seen.add(place);
  const names = listOf(directory).sort();
  const has = (ending: string) =>
    names.filter((name) => tableNames.has(basename(name, ending)) && extname(name) === ending);
  const parquet = has('.parquet');
  const arrow = has('.arrow');
  if (parquet.length > 0 && arrow.length > 0) {
    throw new SfkitError(
      'INPUT_NOT_SUPPORTED',
      `${directory} has tables as both .parquet and .arrow; name the files of one format`,
    );
  }
  const inside = [
    ...parquet,
    ...arrow,
    ...names.filter(
      (name) =>
        captureOrRecords.test(name) || name.endsWith('.sysflow') || isRotated(directory, name),
    ),
  ];
  // sfkit live --rotate writes a directory of tables for each rotation.
  const rotations = names.filter(
    (name) => rotation.test(name) && at(directory, name)?.isDirectory(),
  );
  if (inside.length === 0 && rotations.length === 0) {
    const text = has('.jsonl').length + has('.csv').length > 0;
    const found = text
      ? `it has text tables, but ${purpose} reads .parquet and .arrow`
      : 'it has no tables, captures or .sf files';
    throw new SfkitError('INPUT_NOT_SUPPORTED', `${directory}: nothing to ${purpose}: ${found}`);
  }
  const files = filesOf(
    inside.map((name) => join(directory, name)),
    purpose,
    seen,
  ).map((input) =>
    input.kind === 'engine' || input.directory !== undefined || !isTable(input.path)
      ? input
      : { ...input, directory },
  );
  return [
    ...files,
    ...rotations.flatMap((name) => fromDirectory(join(directory, name), purpose, seen)),
  ];
}

/** Undefined for a dangling link. */
function at(directory: string, name: string): Stats | undefined {
  return statSync(join(directory, name), { throwIfNoEntry: false });
}

function listOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    throw new SfkitError('INPUT_UNREADABLE', `cannot read ${directory}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Whether it is a rotated SysFlow file: NAME.SECONDS or, in a directory written by the library,
 * SECONDS.
 */
function isRotated(directory: string, name: string): boolean {
  if (!/(^|\.)\d{9,11}(-\d+)?$/.test(name)) return false;
  return at(directory, name)?.isFile() === true && looksLikeRecords(join(directory, name));
}

function isTable(path: string): boolean {
  return tableNamed(basename(path, extname(path))) !== undefined;
}

function fromFile(path: string): QueryInput {
  const start = firstBytes(path, 6);
  const table = tableNamed(basename(path, extname(path)));
  if (start.subarray(0, 4).equals(Buffer.from('PAR1'))) return { kind: 'parquet', path, table };
  const isArrowStream = start.length >= 4 && start.readUInt32LE(0) === 0xffffffff;
  if (start.equals(Buffer.from('ARROW1')) || isArrowStream) return { kind: 'arrow', path, table };
  return { kind: 'engine', path };
}

/** The table of a file name, ignoring case, as SQL does. */
function tableNamed(stem: string): TableName | undefined {
  const name = stem.toLowerCase();
  return tableNames.has(name) ? (name as TableName) : undefined;
}

function firstBytes(path: string, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw new SfkitError(
      'INPUT_UNREADABLE',
      `cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`,
      {
        cause: error,
      },
    );
  }
  try {
    return bytes.subarray(0, readSync(descriptor, bytes, 0, count, 0));
  } finally {
    closeSync(descriptor);
  }
}
