import type { DrawOptions } from '../draw/types.js';
import { openDataset } from '../query/dataset.js';
import type { ResultFormat } from '../query/formats.js';
import { runQuery } from '../query/run.js';
import type { ParameterValues } from '../query/saved/parameters.js';
import { reportInputs } from './input-report.js';
import { standardOutput } from './pager.js';

// Imported only by the run of a command: loading DuckDB takes a while.

export interface Answer {
  format: ResultFormat;
  /** File to write, or - for standard output. */
  output: string;
  draw: DrawOptions;
  filter: string | undefined;
  'no-pager': boolean;
  parameters?: ParameterValues;
}

/**
 * Runs a statement over captures and writes its rows; notes and damage of the captures go to
 * standard error. Returns the exit code.
 */
export async function answer(
  inputs: readonly string[],
  sql: string,
  options: Answer,
): Promise<number> {
  const { format, output, draw, filter, parameters = {} } = options;
  const dataset = await openDataset(inputs, sql, filter === undefined ? {} : { filter }, {
    parameters,
    isOnly: true,
  });
  try {
    await runQuery(dataset.connection, sql, format, output, {
      draw,
      parameters,
      ...(output === '-' && { open: () => standardOutput(options) }),
    });
  } finally {
    dataset.close();
  }
  return reportInputs(dataset.summaries);
}
