import { realpathSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { TimestampUnit } from '../duckdb/sql-text.js';
import { SfkitError } from '../engine/errors.js';
import { inputName } from '../engine/input-kind.js';

/** What can be written while it comes, live too. */
export const formats = ['avro', 'arrow', 'parquet', 'jsonl', 'csv'] as const;
export const convertFormats = [...formats, 'duckdb'] as const;
export type Format = (typeof convertFormats)[number];

/** File name endings by format; the first is the one we write. */
const endings: Readonly<Record<Format, readonly string[]>> = {
  avro: ['.sf', '.avro'],
  arrow: ['.arrow', '.arrows', '.feather', '.ipc'],
  parquet: ['.parquet', '.pq'],
  jsonl: ['.jsonl', '.ndjson'],
  csv: ['.csv'],
  duckdb: ['.duckdb'],
};

/** What one input becomes. */
export interface Conversion {
  input: string;
  format: Format;
  /** file: one table or one .sf file; directory: a file for each table; stdout: like file. */
  shape: 'file' | 'directory' | 'stdout';
  /** Path of the file or directory, '-' for standard output. */
  output: string;
  /** A directory to make first where it is missing. */
  directory?: string;
  /** Unit of the times in Parquet files; default: ns. */
  timestamps?: TimestampUnit | undefined;
}

/** Decides format and output of each capture; throws INVALID_ARGUMENT where the wishes contradict each other. */
export function planConversions(
  inputs: readonly string[],
  format: Format | undefined,
  output: string | undefined,
): Conversion[] {
  const plan = inputs.map((input) => planOne(input, inputs.length > 1, format, output));
  const taken = new Map<string, string>();
  for (const { input, output: path, shape } of plan) {
    if (shape === 'stdout') continue;
    const other = taken.get(path);
    if (other !== undefined) refuse(`${other} and ${input} would both become ${path}; convert them one by one with -o`);
    taken.set(path, input);
    if (inputs.some((candidate) => samePath(candidate, path)))
      refuse(`${path} is an input as well; name another output with -o`);
  }
  return plan;
}

/** The name of an input without its directory and endings: what outputs are named after. */
export function captureName(input: string): string {
  const name = basename(inputName(input));
  return name.replace(/(\.(scap|sf|sysflow|parquet|pq|arrow|arrows|feather|ipc))?(\.gz)?$/i, '') || name;
}

export function extension(format: Format): string {
  return endings[format][0] as string;
}

/** Format and output of one input, which may be one of `several`. */
export function planOne(
  input: string,
  several: boolean,
  wanted: Format | undefined,
  output: string | undefined,
): Conversion {
  if (output === '-') {
    if (several) refuse('several inputs do not fit into standard output; name a directory with -o DIR/');
    if (wanted === undefined) refuse('say with -f which format to write to standard output');
    if (wanted === 'duckdb') refuse('a DuckDB database is a file; name it with -o, like -o capture.duckdb');
    return { input, format: wanted, shape: 'stdout', output };
  }
  if (output === undefined || output.endsWith('/')) {
    const format = wanted ?? 'parquet';
    const directory = output ?? '';
    if (format === 'avro' || format === 'duckdb') {
      const output = `${directory}${captureName(input)}${extension(format)}`;
      return { input, format, shape: 'file', output, ...(directory === '' ? {} : { directory }) };
    }
    const own = output === undefined || several ? join(directory, `${captureName(input)}.sysflow/`) : directory;
    return { input, format, shape: 'directory', output: own };
  }
  if (several) refuse(`several inputs do not fit into the one file ${output}; name a directory with -o DIR/`);
  const named = formatOf(output);
  if (wanted !== undefined && named !== undefined && named !== wanted) {
    refuse(`${output} ends like ${named} and -f says ${wanted}; name the file or the format otherwise`);
  }
  const format = wanted ?? named;
  if (format === undefined) {
    refuse(
      `cannot tell the format from the name ${output}; end it in .sf, .arrow, .parquet, .jsonl, .csv or .duckdb, say it with -f, or end a directory with /`,
    );
  }
  return { input, format, shape: 'file', output };
}

function formatOf(path: string): Format | undefined {
  const ending = extname(path).toLowerCase();
  return convertFormats.find((format) => endings[format].includes(ending));
}

/** Whether two paths lead to one file that is there. */
export function samePath(left: string, right: string): boolean {
  try {
    return realpathSync(left) === realpathSync(right);
  } catch {
    return false;
  }
}

function refuse(message: string): never {
  throw new SfkitError('INVALID_ARGUMENT', message);
}
