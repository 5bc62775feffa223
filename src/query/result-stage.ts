import { join } from 'node:path';
import {
  type DuckDBArrayType,
  type DuckDBConnection,
  type DuckDBListType,
  type DuckDBMapType,
  type DuckDBResult,
  type DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api';
import { openDatabase } from '../duckdb/database.js';
import { quoteIdentifier, quoteText } from '../duckdb/sql-text.js';
import { distinctNames } from './columns.js';

/**
 * A complete result in a separate database, with a SELECT that gives types of the output format.
 */
export interface StagedResult {
  connection: DuckDBConnection;
  select: string;
  close(): void;
}

/** Beyond this limit, data goes to the scratch directory. */
const memoryLimit = '1GB';

/**
 * Stages a result for a format with typed columns. A column with values that the format's type
 * cannot represent, such as infinite times, becomes text. `rows`: how many of its first rows.
 */
export async function stageResult(
  result: DuckDBResult,
  format: 'parquet' | 'arrow',
  scratch: string,
  rows = Number.POSITIVE_INFINITY,
): Promise<StagedResult> {
  const database = await openDatabase({
    temporary: join(scratch, 'spill'),
    memoryLimit,
    threads: 1,
  });
  const { connection } = database;
  try {
    const types = result.columnTypes();
    const names = distinctNames(result.columnNames());
    const columns = types.map((type, index) => `c${index} ${sqlType(type, storedLeaf)}`);
    await connection.run(`CREATE TEMP TABLE result (${columns.join(', ')})`);
    const appender = await connection.createAppender('result', 'main', 'temp');
    let staged = 0;
    for await (const chunk of result) {
      if (chunk.rowCount > 0) appender.appendDataChunk(chunk);
      staged += chunk.rowCount;
      if (staged >= rows) break;
    }
    appender.closeSync();
    const beyond = await columnsBeyond(connection, types);
    const written = types.map((type, index) => {
      const target = sqlType(type, (leaf) => writtenLeaf(leaf, format, beyond.has(index)));
      return `c${index}::${target} AS ${quoteIdentifier(names[index] as string)}`;
    });
    return {
      connection,
      select: `SELECT ${written.join(', ')} FROM temp.main.result${staged > rows ? ` LIMIT ${rows}` : ''}`,
      close: database.close,
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The columns with a value that their preferred type cannot represent. */
async function columnsBeyond(
  connection: DuckDBConnection,
  types: readonly DuckDBType[],
): Promise<Set<number>> {
  const conditions = types.flatMap((type, index) => {
    const condition = beyondSql(type, `c${index}`, 0);
    return condition === undefined ? [] : [{ index, condition }];
  });
  if (conditions.length === 0) return new Set();
  const found = await connection.runAndReadAll(
    `SELECT ${conditions.map(({ condition }) => `bool_or(${condition})`).join(', ')} FROM result`,
  );
  return new Set(
    conditions.filter((_, place) => found.getRows()[0]?.[place] === true).map(({ index }) => index),
  );
}

/** The SQL type of the same shape, with `leaf` applied to its scalar types. Arrays become lists. */
function sqlType(type: DuckDBType, leaf: (type: DuckDBType) => string): string {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return `${sqlType((type as DuckDBListType | DuckDBArrayType).valueType, leaf)}[]`;
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = type as DuckDBMapType;
      return `MAP(${sqlType(keyType, leaf)}, ${sqlType(valueType, leaf)})`;
    }
    case DuckDBTypeId.STRUCT: {
      const { entryTypes } = type as DuckDBStructType;
      const names = fieldNames(type as DuckDBStructType);
      const fields = entryTypes.map(
        (entry, index) => `${quoteIdentifier(names[index] as string)} ${sqlType(entry, leaf)}`,
      );
      return `STRUCT(${fields.join(', ')})`;
    }
    default:
      return leaf(type);
  }
}

/** The fields of row(1, 'a') have no names, but files need names. */
function fieldNames({ entryNames }: DuckDBStructType): string[] {
  return entryNames.map((name, index) => (name === '' ? `_${index + 1}` : name));
}

/** Types that are always written as DuckDB's text: no format represents them completely. */
const textOnly = new Set([
  DuckDBTypeId.INTERVAL,
  DuckDBTypeId.TIME_TZ,
  DuckDBTypeId.BIT,
  DuckDBTypeId.BIGNUM,
  DuckDBTypeId.ENUM,
  DuckDBTypeId.UNION,
  DuckDBTypeId.VARIANT,
]);

function storedLeaf(type: DuckDBType): string {
  if (textOnly.has(type.typeId)) return 'VARCHAR';
  return type.typeId === DuckDBTypeId.SQLNULL ? 'INTEGER' : type.toString();
}

/** The longest integers that Parquet and Arrow have. */
const widestInteger = 'DECIMAL(38, 0)';
const maxLongest = '9'.repeat(38);

function writtenLeaf(type: DuckDBType, format: 'parquet' | 'arrow', isBeyond: boolean): string {
  if (isBeyond && beyondSql(type, '', 0) !== undefined) return 'VARCHAR';
  if (type.typeId === DuckDBTypeId.HUGEINT || type.typeId === DuckDBTypeId.UHUGEINT)
    return widestInteger;
  if (type.typeId === DuckDBTypeId.UUID && format === 'arrow') return 'VARCHAR';
  return storedLeaf(type);
}

/** SQL that is true if a value exceeds its column's preferred type; undefined if none can. */
function beyondSql(type: DuckDBType, value: string, depth: number): string | undefined {
  switch (type.typeId) {
    case DuckDBTypeId.HUGEINT:
      return `${value} NOT BETWEEN -${maxLongest}::HUGEINT AND ${maxLongest}::HUGEINT`;
    case DuckDBTypeId.UHUGEINT:
      return `${value} > ${maxLongest}::UHUGEINT`;
    case DuckDBTypeId.DATE:
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ:
    case DuckDBTypeId.TIMESTAMP_NS:
      return `isinf(${value})`;
    case DuckDBTypeId.TIMESTAMP_S:
    case DuckDBTypeId.TIMESTAMP_MS:
      // DuckDB writes them in finer units.
      return `(isinf(${value}) OR TRY_CAST(${value} AS TIMESTAMP) IS NULL AND ${value} IS NOT NULL)`;
    case DuckDBTypeId.TIME:
    case DuckDBTypeId.TIME_NS:
      return `${value} >= '24:00:00'`;
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return anyBeyond((type as DuckDBListType | DuckDBArrayType).valueType, value, depth);
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = type as DuckDBMapType;
      return either([
        anyBeyond(keyType, `map_keys(${value})`, depth),
        anyBeyond(valueType, `map_values(${value})`, depth),
      ]);
    }
    case DuckDBTypeId.STRUCT: {
      const { entryTypes } = type as DuckDBStructType;
      return either(
        fieldNames(type as DuckDBStructType).map((name, index) =>
          beyondSql(
            entryTypes[index] as DuckDBType,
            `struct_extract(${value}, ${quoteText(name)})`,
            depth,
          ),
        ),
      );
    }
    default:
      return undefined;
  }
}

function anyBeyond(type: DuckDBType, list: string, depth: number): string | undefined {
  const item = beyondSql(type, `v${depth}`, depth + 1);
  return item === undefined
    ? undefined
    : `list_bool_or(list_transform(${list}, lambda v${depth}: ${item}))`;
}

function either(conditions: readonly (string | undefined)[]): string | undefined {
  const some = conditions.filter((condition) => condition !== undefined);
  return some.length === 0
    ? undefined
    : `(${some.map((condition) => `coalesce(${condition}, false)`).join(' OR ')})`;
}
