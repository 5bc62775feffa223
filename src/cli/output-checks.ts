import type { TimestampUnit } from '../duckdb/sql-text.js';
import { SfkitError } from '../engine/errors.js';
import { type Conversion, samePath } from '../export/plan.js';

/** Rejects --table if all tables are written, and binary data on a terminal. */
export function refuseWrongOutput(plan: Conversion | undefined, table: string | undefined): void {
  if (
    table !== undefined &&
    (plan?.shape === 'directory' || plan?.format === 'avro' || plan?.format === 'duckdb')
  ) {
    const all =
      plan.format === 'avro'
        ? 'a SysFlow file has all records'
        : `a ${plan.format === 'duckdb' ? 'database' : 'directory'} gets every table`;
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `--table is for a single file of a table format; ${all}`,
    );
  }
  const isText = plan?.format === 'jsonl' || plan?.format === 'csv';
  if (plan?.shape === 'stdout' && process.stdout.isTTY && !isText) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${plan.format} is binary and standard output is a terminal; redirect it or name a file with -o`,
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

/** Sets the unit of times in the plan; rejects a unit for other formats than Parquet. */
export function withTimestamps<Plan extends Conversion | undefined>(
  plan: Plan,
  timestamps?: TimestampUnit,
): Plan {
  if (timestamps === undefined) return plan;
  if (plan?.format !== 'parquet') {
    const found = plan === undefined ? 'none is written' : `the output is ${plan.format}`;
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `--timestamps: only Parquet files have a unit of times; ${found}`,
    );
  }
  return { ...plan, timestamps };
}
