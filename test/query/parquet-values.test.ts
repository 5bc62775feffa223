import {
  DECIMAL,
  DuckDBDataChunk,
  DuckDBDecimalValue,
  DuckDBTimeNSValue,
  DuckDBTimeValue,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  LIST,
  listValue,
  MAP,
  mapValue,
  STRUCT,
  structValue,
  TIME,
  TIME_NS,
} from '@duckdb/node-api';
import { expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.js';
import { quoteText } from '../../src/duckdb/sql-text.js';
import { openDataset } from '../../src/query/dataset.js';
import { testDirectory } from '../helpers/directory.js';

const directory = testDirectory();

/** A Parquet file whose column `c` has this value, which DuckDB does not check. */
async function parquetOf(type: DuckDBType, value: DuckDBValue): Promise<string> {
  const path = directory.path('other.parquet');
  const { connection, close } = await openDatabase();
  await connection.run(`CREATE TABLE t (c ${type})`);
  const appender = await connection.createAppender('t');
  const chunk = DuckDBDataChunk.create([type], 1);
  chunk.setColumnValues(0, [value]);
  appender.appendDataChunk(chunk);
  appender.closeSync();
  await connection.run(`COPY t TO ${quoteText(path)}`);
  close();
  return path;
}

async function shown(path: string): Promise<unknown> {
  const sql = 'SELECT CAST(c AS VARCHAR) FROM other';
  const { connection, close } = await openDataset([path], sql);
  try {
    return (await connection.runAndReadAll(sql)).getRows()[0]?.[0];
  } finally {
    close();
  }
}

const day = 86_400_000_000n;
const long = new DuckDBTimeValue(10n ** 17n);
const least = new DuckDBDecimalValue(-(2n ** 63n), 18, 0);

it.each<[string, DuckDBType, DuckDBValue]>([
  ['a time', TIME, long],
  ['a time before its day', TIME, new DuckDBTimeValue(-3_600_000_000n)],
  ['a time in nanoseconds', TIME_NS, new DuckDBTimeNSValue(10n ** 17n)],
  ['a time in a list', LIST(TIME), listValue([null, long])],
  ['a time in a struct', STRUCT({ "it's": TIME }), structValue({ "it's": long })],
  [
    'a time in a list of lists in a struct',
    STRUCT({ a: LIST(LIST(TIME)) }),
    structValue({ a: listValue([listValue([long])]) }),
  ],
  ['a time as map key', MAP(TIME, INTEGER), mapValue([{ key: long, value: 1 }])],
  ['a time as map value', MAP(INTEGER, TIME), mapValue([{ key: 1, value: long }])],
  ['a number', DECIMAL(18, 0), least],
  ['a number without integer digits', DECIMAL(9, 9), new DuckDBDecimalValue(2_147_483_647n, 9, 9)],
])('rejects %s that is impossible', async (_, type, value) => {
  await expect(shown(await parquetOf(type, value))).rejects.toThrow(
    /other\.parquet: not a readable Parquet file: it has times longer than a day or numbers longer than their type$/,
  );
});

it.each<[DuckDBType, DuckDBValue, string | null]>([
  [TIME, new DuckDBTimeValue(day), '24:00:00'],
  [TIME, null, null],
  [LIST(TIME), listValue([null, new DuckDBTimeValue(1n)]), "[NULL, '00:00:00.000001']"],
  [LIST(TIME), listValue([]), '[]'],
  [
    STRUCT({ a: TIME, b: DECIMAL(3, 2) }),
    structValue({ a: null, b: new DuckDBDecimalValue(-999n, 3, 2) }),
    "{'a': NULL, 'b': -9.99}",
  ],
  [STRUCT({ a: TIME }), null, null],
  [MAP(TIME, TIME), mapValue([{ key: new DuckDBTimeValue(0n), value: null }]), "{'00:00:00'=NULL}"],
  [DECIMAL(38, 38), new DuckDBDecimalValue(1n - 10n ** 38n, 38, 38), `-.${'9'.repeat(38)}`],
])('shows %s', async (type, value, text) => {
  expect(await shown(await parquetOf(type, value))).toBe(text);
});
