import { realpathSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { TimestampUnit } from '../duckdb/sql-text.js';
import { SfkitError } from '../engine/errors.js';
import { inputName } from '../engine/input-kind.js';
import { isStream } from '../output/sink.js';
import { isSameTarget } from '../output/target.js';

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
  /** Seconds of event time after which a new file, or directory of tables, starts. Default: never. */
  rotate?: number | undefined;
}

/** An output of a command with its format; undefined for the default. */
export interface WantedOutput {
  format: Format | undefined;
  output: string | undefined;
}

/**
 * Combines the values of -f and -o: an output whose name has a known extension is of that format,
 * every other output is written in each of `formats`.
 */
export function pairOutputs(
  formats: readonly Format[],
  outputs: readonly string[],
): WantedOutput[] {
  const inEach = (output: string | undefined) =>
    (formats.length === 0 ? [undefined] : formats).map((format) => ({ format, output }));
  if (outputs.length === 0) return inEach(undefined);
  const namedFormat = (output: string) =>
    output === '-' || output.endsWith('/') ? undefined : formatOf(output);
  const areNamed = outputs.every((output) => namedFormat(output) !== undefined);
  return outputs.flatMap((output) => {
    const named = namedFormat(output);
    if (named === undefined) return inEach(output);
    // A format that no output has contradicts the names.
    const contradicting = areNamed ? formats.find((format) => format !== named) : undefined;
    return [{ format: contradicting ?? named, output }];
  });
}

/** Rejects outputs that cannot be written in one run. */
export function refuseSameOutputs(plans: readonly Conversion[]): void {
  for (const [index, { format, shape, output }] of plans.entries()) {
    // A directory can hold the tables of several formats.
    const isSame = (other: Conversion) =>
      other.shape === shape &&
      (shape !== 'directory' || other.format === format) &&
      (shape === 'stdout' || isSameTarget(other.output, output));
    if (!plans.slice(0, index).some(isSame)) continue;
    refuse(
      shape === 'stdout'
        ? 'standard output takes one output; name files with -o'
        : `${output} is named twice as an output; use different names`,
    );
  }
  const files = plans.filter(({ format }) => format === 'avro');
  if (files.length > 1) {
    refuse(
      `one SysFlow output at a time: both ${files[0]?.output} and ${files[1]?.output} are named`,
    );
  }
}

/** Adds rotation to a plan; rejects outputs that cannot be rotated. */
export function withRotation<Plan extends Conversion>(plan: Plan, rotate: number): Plan {
  if (rotate === 0) return plan;
  if (plan.shape === 'stdout')
    refuse('standard output cannot be rotated; name a directory with -o DIR/');
  if (isStream(plan.output)) refuse(`${plan.output} is a device or pipe, which cannot be rotated`);
  if (plan.format !== 'avro' && plan.shape === 'file') {
    refuse(
      `${plan.output} is one file; --rotate needs a directory, -o DIR/, and writes a subdirectory per interval`,
    );
  }
  return { ...plan, rotate };
}

/** Plans the outputs of each input: one list per input. */
export function planAll(
  inputs: readonly string[],
  wanted: readonly WantedOutput[],
  rotate = 0,
): Conversion[][] {
  const byOutput = wanted.map(({ format, output }) => planConversions(inputs, format, output));
  const plans = inputs.map((_, index) =>
    byOutput.map((plan) => withRotation(plan[index] as Conversion, rotate)),
  );
  for (const outputs of plans) refuseSameOutputs(outputs);
  return plans;
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
