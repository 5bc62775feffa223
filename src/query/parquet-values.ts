import type {
  DuckDBArrayType,
  DuckDBConnection,
  DuckDBDecimalType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  DuckDBType,
} from '@duckdb/node-api';
import { DuckDBTypeId } from '../duckdb/api.js';
import { quoteIdentifier, quoteText } from '../duckdb/sql-text.js';
import { SfkitError } from '../engine/errors.js';

/**
 * Rejects a Parquet file with a time longer than a day or a number longer than its type. DuckDB
 * does not check them, and reads out of bounds when it formats them. Only columns that can have
 * such values are read.
 */
export async function rejectImpossibleValues(
  connection: DuckDBConnection,
  path: string,
  from: string,
): Promise<void> {
  const result = await connection.run(`SELECT * FROM ${from} LIMIT 0`);
  const types = result.columnTypes();
  const conditions = result
    .columnNames()
    .flatMap((name, index) => conditionsOf(quoteIdentifier(name), types[index] as DuckDBType, 0));
  if (conditions.length === 0) return;
  // The optimizer must not answer from the statistics in the file.
  await connection.run("SET disabled_optimizers = 'statistics_propagation,filter_pushdown'");
  try {
    const possible = await connection.runAndReadAll(
      `SELECT bool_and(${conditions.join(' AND ')}) IS NOT false FROM ${from}`,
    );
    if (possible.getRows()[0]?.[0] === true) return;
  } finally {
    await connection.run('RESET disabled_optimizers');
  }
  throw new SfkitError(
    'INPUT_BAD_FORMAT',
    `${path}: not a readable Parquet file: it has times longer than a day or numbers longer than their type`,
  );
}

/** SQL conditions that a valid value meets; none for types whose values are always valid. */
function conditionsOf(value: string, type: DuckDBType, depth: number): string[] {
  switch (type.typeId) {
    case DuckDBTypeId.TIME:
    case DuckDBTypeId.TIME_TZ:
    case DuckDBTypeId.TIME_NS:
      return [`coalesce(date_part('hour', ${value}) BETWEEN 0 AND 24, true)`];
    case DuckDBTypeId.DECIMAL: {
      const { width, scale } = type as DuckDBDecimalType;
      const most = `CAST('${'9'.repeat(width - scale)}.${'9'.repeat(scale)}' AS ${type})`;
      return [`coalesce(${value} BETWEEN -${most} AND ${most}, true)`];
    }
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return ofItems(value, (type as DuckDBListType | DuckDBArrayType).valueType, depth);
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = type as DuckDBMapType;
      return [
        ...ofItems(`map_keys(${value})`, keyType, depth),
        ...ofItems(`map_values(${value})`, valueType, depth),
      ];
    }
    case DuckDBTypeId.STRUCT: {
      const { entryNames, entryTypes } = type as DuckDBStructType;
      return entryNames.flatMap((name, index) =>
        conditionsOf(
          `struct_extract(${value}, ${quoteText(name)})`,
          entryTypes[index] as DuckDBType,
          depth,
        ),
      );
    }
    default:
      return [];
  }
}

function ofItems(list: string, type: DuckDBType, depth: number): string[] {
  const item = `sfkit_item_${depth}`;
  const conditions = conditionsOf(item, type, depth + 1);
  if (conditions.length === 0) return [];
  return [
    `coalesce(list_bool_and(list_transform(${list}, lambda ${item}: ${conditions.join(' AND ')})), true)`,
  ];
}
