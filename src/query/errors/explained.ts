import { SfkitError } from '../../engine/errors.js';
import type { Dataset } from '../dataset.js';
import { explainSql } from './explain.js';
import { declaredTables, tablesOf, timesOf } from './surroundings.js';
import type { SqlTable, Surroundings } from './types.js';

/**
 * Explains an error in SQL about a dataset, if it is open already; returns other errors as they
 * are.
 */
export async function explained(
  error: unknown,
  sql: string,
  dataset: Dataset | undefined,
): Promise<unknown> {
  if (!(error instanceof SfkitError) || error.code !== 'SQL_ERROR') return error;
  return explainSql(error, sql, await surroundingsOf(dataset));
}

async function surroundingsOf(dataset: Dataset | undefined): Promise<Surroundings> {
  if (dataset === undefined) return { tables: declaredTables() };
  const { connection, summaries } = dataset;
  // A connection that cannot answer must not hide the error.
  const tables: readonly SqlTable[] = await tablesOf(connection).catch(declaredTables);
  return { tables, times: timesOf(summaries) };
}
