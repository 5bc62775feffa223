import type { TimestampUnit } from '../duckdb/sql-text.js';
import { SfkitError } from '../engine/errors.js';
import { type Conversion, samePath } from '../export/plan.js';

/** Rejects --table if no output holds a single table, and binary data on a terminal. */
export function refuseWrongOutput(plans: readonly Conversion[], table: string | undefined): void {
  const hasAll = ({ shape, format }: Conversion) =>
    shape === 'directory' || format === 'avro' || format === 'duckdb';
  const [first] = plans;
  if (table !== undefined && first !== undefined && plans.every(hasAll)) {
    const all =
      first.format === 'avro'
        ? 'a SysFlow file has all records'
        : `a ${first.format === 'duckdb' ? 'database' : 'directory'} gets every table`;
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `--table is for a single file of a table format; ${all}`,
    );
  }
  const binary = plans.find(
    ({ shape, format }) => shape === 'stdout' && format !== 'jsonl' && format !== 'csv',
  );
  if (binary !== undefined && process.stdout.isTTY) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${binary.format} is binary and standard output is a terminal; redirect it or name a file with -o`,
    );
  }
}

/** Rejects an output that is one of the inputs. */
export function refuseInputAsOutput(inputs: readonly string[], output: string): void {
  if (inputs.some((input) => samePath(input, output)))
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${output} is an input as well; name another file with -o`,
    );
}

/** Sets the unit of times in the plans; rejects a unit if no output is Parquet. */
export function withTimestamps<Plan extends Conversion>(
  plans: readonly Plan[],
  timestamps?: TimestampUnit,
): Plan[] {
  if (timestamps === undefined) return [...plans];
  if (!plans.some(({ format }) => format === 'parquet')) {
    const [first] = plans;
    const found = first === undefined ? 'none is written' : `the output is ${first.format}`;
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `--timestamps: only Parquet files have a unit of times; ${found}`,
    );
  }
  return plans.map((plan) => (plan.format === 'parquet' ? { ...plan, timestamps } : plan));
}
