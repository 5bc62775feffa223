import { realpathSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { TimestampUnit } from '../duckdb/sql-text.js';
import { SfkitError } from '../engine/errors.js';
import { inputName } from '../engine/input-kind.js';

/** Formats that can be written incrementally, and so also by live captures. */
export const formats = ['avro', 'arrow', 'parquet', 'jsonl', 'csv'] as const;
export const convertFormats = [...formats, 'duckdb'] as const;
export type Format = (typeof convertFormats)[number];

/** File extensions by format; outputs get the first one. */
const endings: Readonly<Record<Format, readonly string[]>> = {
  avro: ['.sf', '.avro'],
  arrow: ['.arrow', '.arrows', '.feather', '.ipc'],
  parquet: ['.parquet', '.pq'],
  jsonl: ['.jsonl', '.ndjson'],
  csv: ['.csv'],
  duckdb: ['.duckdb'],
};

/** Input, format and output of one conversion. */
export interface Conversion {
  input: string;
  format: Format;
  /** file: one table or one .sf file; directory: a file for each table; stdout: like file. */
  shape: 'file' | 'directory' | 'stdout';
  /** Path of the file or directory, '-' for standard output. */
  output: string;
  /** A directory to create first if it is missing. */
  directory?: string;
  /** Unit of times in Parquet files. Default: ns. */
  timestamps?: TimestampUnit | undefined;
}

/**
 * Determines format and output of each input; throws INVALID_ARGUMENT if the options contradict
 * each other.
 */
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
    if (other !== undefined)
      refuse(
        `${other} and ${input} would both be written to ${path}; convert them one by one with -o`,
      );
    taken.set(path, input);
    if (inputs.some((candidate) => samePath(candidate, path)))
      refuse(`${path} is also an input; name another output with -o`);
  }
  return plan;
}

/** The name of an input without directory and extensions; outputs are named after it. */
export function captureName(input: string): string {
  const name = basename(inputName(input));
  return (
    name.replace(/(\.(scap|sf|sysflow|parquet|pq|arrow|arrows|feather|ipc))?(\.gz)?$/i, '') || name
  );
}

export function extension(format: Format): string {
  return endings[format][0] as string;
}

/** Determines format and output of one input, which may be one of `several`. */
export function planOne(
  input: string,
  several: boolean,
  wanted: Format | undefined,
  output: string | undefined,
): Conversion {
  if (output === '-') {
    if (several) refuse('standard output takes one input; name a directory with -o DIR/');
    if (wanted === undefined) refuse('name the format for standard output with -f');
    if (wanted === 'duckdb')
      refuse('a DuckDB database must be a file; name it with -o, such as -o capture.duckdb');
    return { input, format: wanted, shape: 'stdout', output };
  }
  if (output === undefined || output.endsWith('/')) {
    const format = wanted ?? 'parquet';
    const directory = output ?? '';
    if (format === 'avro' || format === 'duckdb') {
      const output = `${directory}${captureName(input)}${extension(format)}`;
      return { input, format, shape: 'file', output, ...(directory === '' ? {} : { directory }) };
    }
    const own =
      output === undefined || several
        ? join(directory, `${captureName(input)}.sysflow/`)
        : directory;
    return { input, format, shape: 'directory', output: own };
  }
  if (several) refuse(`the file ${output} takes one input; name a directory with -o DIR/`);
  const named = formatOf(output);
  if (wanted !== undefined && named !== undefined && named !== wanted) {
    refuse(`${output} has the extension of ${named}, but -f says ${wanted}; change one of them`);
  }
  const format = wanted ?? named;
  if (format === undefined) {
    refuse(
      `unknown format of ${output}: expected .sf, .arrow, .parquet, .jsonl, .csv or .duckdb; or name the format with -f, or end a directory with /`,
    );
  }
  return { input, format, shape: 'file', output };
}

function formatOf(path: string): Format | undefined {
  const ending = extname(path).toLowerCase();
  return convertFormats.find((format) => endings[format].includes(ending));
}

/** Whether two paths lead to the same existing file. */
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
