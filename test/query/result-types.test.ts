import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Data, DataType, tableFromIPC, type Vector } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.js';
import { escapeForTerminal } from '../../src/engine/escape.js';
import { type ResultFormat, resultFormats } from '../../src/query/formats.js';
import { runQuery } from '../../src/query/run.js';
import {
  parseCsv,
  parseDrawn,
  parseJsonLines,
  parseMarkdown,
  uncsv,
} from '../helpers/text-results.js';

// Every type in every format: another reader reads a value back, and it must match DuckDB's value.

interface Case {
  sql: string;
  /** Its text in text formats. Default: DuckDB's cast to VARCHAR. */
  plain?: string;
  /** Its text in CSV, if different. */
  csv?: string;
  /** Its source text in JSON. Default: the plain text, in quotes unless `isNumber`. */
  json?: string;
  isNumber?: boolean;
  /** In Parquet, read by DuckDB and cast to VARCHAR. Default: DuckDB's cast of the value. */
  parquet?: string;
  /** In Arrow: text, digits, hexadecimal bytes or the number of a time. Default: DuckDB's cast. */
  arrow?: string;
  arrowType?: string;
}

const numbers = (...values: string[]): Case[] => values.map((sql) => ({ sql, isNumber: true }));
const texts = (...values: string[]): Case[] => values.map((sql) => ({ sql }));
const hugeText = (sql: string): Case => ({ sql, isNumber: true, arrowType: 'Utf8' });
const max38 = '9'.repeat(38);

const cases: Case[] = [
  ...texts('true', 'false').map((boolean) => ({ ...boolean, isNumber: true })),
  ...numbers('(-128)::TINYINT', '127::TINYINT', '(-32768)::SMALLINT', '32767::SMALLINT'),
  ...numbers('(-2147483648)::INTEGER', '2147483647::INTEGER', '255::UTINYINT', '65535::USMALLINT'),
  ...numbers('4294967295::UINTEGER', '18446744073709551615::UBIGINT', '9007199254740993::BIGINT'),
  ...numbers(
    "'-9223372036854775808'::BIGINT",
    '9223372036854775807::BIGINT',
    '0::HUGEINT',
    '5::UHUGEINT',
  ),
  { ...hugeText('9007199254740993::HUGEINT'), arrowType: 'Decimal[38e0]' },
  { ...hugeText(`${max38}::HUGEINT`), arrowType: 'Decimal[38e0]' },
  { ...hugeText(`(-${max38})::HUGEINT`), arrowType: 'Decimal[38e0]' },
  hugeText(`1${'0'.repeat(38)}::HUGEINT`),
  hugeText("'-170141183460469231731687303715884105728'::HUGEINT"),
  hugeText('170141183460469231731687303715884105727::HUGEINT'),
  hugeText("'340282366920938463463374607431768211455'::UHUGEINT"),
  hugeText("'-123456789012345678901234567890123456789012345678901234567890'::BIGNUM"),
  ...numbers(
    '0.1::FLOAT',
    '16777217::FLOAT',
    "'3.4028235e38'::FLOAT",
    "'1e-45'::FLOAT",
    "'-0.0'::FLOAT",
  ),
  ...numbers(
    '0.1::DOUBLE',
    "'-0.0'::DOUBLE",
    "'5e-324'::DOUBLE",
    "'1.7976931348623157e308'::DOUBLE",
  ),
  ...numbers("'9007199254740993'::DOUBLE", '123456789.123456789::DOUBLE', '1e21::DOUBLE'),
  ...['FLOAT', 'DOUBLE'].flatMap((type) => [
    { sql: `'nan'::${type}`, plain: 'NaN', json: '"NaN"' },
    { sql: `'inf'::${type}`, plain: 'Infinity', json: '"Infinity"' },
    { sql: `'-inf'::${type}`, plain: '-Infinity', json: '"-Infinity"' },
  ]),
  ...numbers('(-9.9)::DECIMAL(2,1)', '(-0.05)::DECIMAL(4,2)', '12345.6789::DECIMAL(9,4)'),
  ...numbers('(-12345678901234.5678)::DECIMAL(18,4)', `'${max38}'::DECIMAL(38,0)`),
  { sql: '0::DECIMAL(5,5)', isNumber: true, plain: '0.00000', arrow: '0.00000' },
  {
    sql: `'-0.${max38}'::DECIMAL(38,38)`,
    isNumber: true,
    plain: `-0.${max38}`,
    arrow: `-0.${max38}`,
  },
  ...numbers(`'${max38.slice(0, 30)}.12345678'::DECIMAL(38,8)`),
  ...texts("DATE '2024-02-29'", "DATE '1969-12-31'", "DATE '0001-01-01'", "DATE '9999-12-31'"),
  ...texts(
    "'44-03-15 (BC)'::DATE",
    "'0001-12-31 (BC)'::DATE",
    "'5877642-06-25 (BC)'::DATE",
    "'5881580-07-10'::DATE",
  ),
  ...["'infinity'::DATE", "'-infinity'::DATE"].map((sql) => ({ sql, arrowType: 'Utf8' })),
  ...texts(
    "TIME '00:00:00'",
    "TIME '23:59:59.999999'",
    "TIME '12:30:00.5'",
    "TIME_NS '12:00:00.000000001'",
  ),
  { sql: "TIME '24:00:00'", arrowType: 'Utf8' },
  ...texts("TIMETZ '12:00:00+05:30'", "TIMETZ '23:59:59.000001-15:59:59'"),
  { sql: "TIMESTAMP_S '2024-01-01 01:02:03'", plain: '2024-01-01T01:02:03Z' },
  { sql: "TIMESTAMP_MS '2024-01-01 01:02:03.5'", plain: '2024-01-01T01:02:03.500Z' },
  { sql: "TIMESTAMP '2024-01-01 01:02:03.000001'", plain: '2024-01-01T01:02:03.000001Z' },
  { sql: "TIMESTAMP '1969-12-31 23:59:59.999999'", plain: '1969-12-31T23:59:59.999999Z' },
  { sql: "TIMESTAMP '0001-01-01 00:00:00'", plain: '0001-01-01T00:00:00.000000Z' },
  { sql: "TIMESTAMP_NS '2024-01-01 01:02:03.123456789'", plain: '2024-01-01T01:02:03.123456789Z' },
  { sql: "TIMESTAMP_NS '1677-09-22 00:00:00'", plain: '1677-09-22T00:00:00.000000000Z' },
  { sql: "TIMESTAMPTZ '2024-01-01 01:02:03+02'", plain: '2023-12-31T23:02:03.000000Z' },
  ...texts("'12345-01-01 00:00:01.5'::TIMESTAMP", "'44-03-15 (BC) 12:00:00'::TIMESTAMP"),
  ...texts("'294247-01-10 04:00:54.775806'::TIMESTAMP", "'290309-12-22 (BC) 00:00:00'::TIMESTAMP"),
  ...texts(
    "'12345-01-01'::TIMESTAMP_S",
    "'12345-01-01 00:00:00.001'::TIMESTAMP_MS",
    "'12345-01-01 00:00:00+00'::TIMESTAMPTZ",
  ),
  ...['TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'TIMESTAMPTZ'].flatMap((type) =>
    ['infinity', '-infinity'].map((value) => ({ sql: `'${value}'::${type}`, arrowType: 'Utf8' })),
  ),
  ...texts(
    "INTERVAL '1 microsecond'",
    "INTERVAL '-1 microsecond'",
    "INTERVAL '13 months -3 days 25 hours'",
  ),
  ...texts("INTERVAL '0 days'", "INTERVAL '-1 year'", "INTERVAL '1 year 1 month 1 day'"),
  { sql: "'\\x00\\xFFa'::BLOB", plain: '00ff61', arrow: '00ff61' },
  { sql: "''::BLOB", plain: '', arrow: '' },
  ...texts("'0101'::BIT", "'1'::BIT", "'00010000111'::BIT"),
  ...texts(
    "'00000000-0000-0000-0000-000000000001'::UUID",
    "'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID",
  ),
  ...texts("'b'::ENUM('a', 'b')", "''::ENUM('', 'b')"),
  ...texts(
    "''",
    "'null'",
    "'it''s \"quoted\"'",
    "'\\ud800'",
    "'\\x1b'",
    "'|'",
    "' a '",
    "'ä€😀'",
    "'a_b _c_ ~d~ @e'",
  ),
  ...texts(
    "'=1+1'",
    "'''=1'",
    "'-1'",
    "'http://a.b www.c.d'",
    "'a' || chr(10) || 'b'",
    "'a' || chr(0) || chr(27) || chr(13)",
  ),
  ...texts("'a' || chr(8238) || chr(65279)", "repeat('x', 90)", "chr(9) || '|'"),
  { sql: `'{"a": 12345678901234567890.10}'::JSON` },
  { sql: "'POINT(0.5 2)'::GEOMETRY", plain: pointHex(), arrow: pointHex() },
  { sql: 'union_value(k := 7::HUGEINT)', json: '7' },
  { sql: "union_value(k := '=1')", json: '"=1"' },
  { sql: '1::UNION(a VARCHAR, b INTEGER)', json: '1' },
  { sql: '170141183460469231731687303715884105727::HUGEINT::VARIANT', isNumber: true },
  { sql: "'text'::VARIANT" },
  { sql: "DATE '2024-02-29'::VARIANT" },
  {
    sql: "{'a': 9007199254740993, 'b': [1.5, 'x'::VARIANT], 'c': NULL}::VARIANT",
    plain: '{"a":9007199254740993,"b":[1.5,"x"],"c":null}',
    json: '{"a":9007199254740993,"b":[1.5,"x"],"c":null}',
  },
  {
    sql: "['CONNECT', 'SEND']",
    csv: 'CONNECT|SEND',
    json: '["CONNECT","SEND"]',
    arrow: '["CONNECT","SEND"]',
  },
  { sql: "['a|b']", csv: '["a|b"]', json: '["a|b"]', arrow: '["a|b"]' },
  { sql: "['a, b']", csv: 'a, b', plain: '["a, b"]', json: '["a, b"]', arrow: '["a, b"]' },
  { sql: "['']", plain: '[""]', json: '[""]', arrow: '[""]' },
  { sql: '[]::VARCHAR[]', csv: '', json: '[]', arrow: '[]' },
  { sql: "[NULL, 'null']", plain: '[null,"null"]', json: '[null,"null"]', arrow: '[null,"null"]' },
  { sql: "['[a']", plain: '["[a"]', json: '["[a"]', arrow: '["[a"]' },
  {
    sql: '[\'["a|b"]\']',
    plain: '["[\\"a|b\\"]"]',
    json: '["[\\"a|b\\"]"]',
    arrow: '["[\\"a|b\\"]"]',
  },
  {
    sql: '[9007199254740993::HUGEINT, NULL]',
    plain: '[9007199254740993, null]',
    csv: '[9007199254740993,null]',
    json: '[9007199254740993,null]',
    arrow: '["9007199254740993",null]',
  },
  {
    sql: '[170141183460469231731687303715884105727::HUGEINT]',
    csv: '170141183460469231731687303715884105727',
    json: '[170141183460469231731687303715884105727]',
    arrow: '["170141183460469231731687303715884105727"]',
  },
  {
    sql: "['infinity'::DATE, '2024-01-01']",
    csv: 'infinity|2024-01-01',
    json: '["infinity","2024-01-01"]',
    arrow: '["infinity","2024-01-01"]',
  },
  {
    sql: "[TIMETZ '12:00:00+01']",
    csv: '12:00:00+01',
    plain: '[12:00:00+01]',
    json: '["12:00:00+01"]',
    arrow: '["12:00:00+01"]',
  },
  {
    sql: '[[1], [], NULL]',
    plain: '[[1],[],null]',
    json: '[[1],[],null]',
    arrow: '[["1"],[],null]',
  },
  { sql: '[1, 2, 3]::INTEGER[3]', csv: '1|2|3', json: '[1,2,3]', arrow: '["1","2","3"]' },
  {
    sql: '[[1, 2], [3, 4], [5, 6]]::INTEGER[2][3]',
    plain: '[[1,2],[3,4],[5,6]]',
    json: '[[1,2],[3,4],[5,6]]',
    arrow: '[["1","2"],["3","4"],["5","6"]]',
  },
  {
    sql: "row(1, 'a')",
    plain: '[1,"a"]',
    json: '[1,"a"]',
    parquet: "{'_1': 1, '_2': a}",
    arrow: '{"_1":"1","_2":"a"}',
  },
  {
    sql: "[row(1, row(2, 'b'))]",
    plain: '[[1,[2,"b"]]]',
    json: '[[1,[2,"b"]]]',
    parquet: "[{'_1': 1, '_2': {'_1': 2, '_2': b}}]",
    arrow: '[{"_1":"1","_2":{"_1":"2","_2":"b"}}]',
  },
  {
    sql: "{'b': 1, 'A': NULL, '__proto__': 'p', '1': 'i'}",
    plain: '{"b":1,"A":null,"__proto__":"p","1":"i"}',
    json: '{"b":1,"A":null,"__proto__":"p","1":"i"}',
    arrow: '{"1":"i","b":"1","A":null,"__proto__":"p"}',
  },
  {
    sql: "{'t': 'infinity'::TIMESTAMP_NS, 'h': [5::UHUGEINT]}",
    plain: '{"t":"infinity","h":[5]}',
    json: '{"t":"infinity","h":[5]}',
    arrow: '{"t":"infinity","h":["5"]}',
  },
  {
    sql: "MAP {'k': 1, '': NULL}",
    plain: '{"k":1,"":null}',
    json: '{"k":1,"":null}',
    arrow: '[["k","1"],["",null]]',
  },
  {
    sql: "MAP {170141183460469231731687303715884105727::HUGEINT: INTERVAL '1 microsecond'}",
    plain: '{"170141183460469231731687303715884105727":"00:00:00.000001"}',
    json: '{"170141183460469231731687303715884105727":"00:00:00.000001"}',
    arrow: '[["170141183460469231731687303715884105727","00:00:00.000001"]]',
  },
  {
    sql: "[union_value(k := 'a'), NULL]",
    plain: '["a",null]',
    json: '["a",null]',
    arrow: '["a",null]',
  },
];

function pointHex(): string {
  const bytes = Buffer.alloc(21);
  bytes[0] = 1;
  bytes.writeUInt32LE(1, 1);
  bytes.writeDoubleLE(0.5, 5);
  bytes.writeDoubleLE(2, 13);
  return bytes.toString('hex');
}

let directory: string;
/** For each case, DuckDB's cast to VARCHAR. */
let casts: string[];
const answers = {} as Record<ResultFormat, (index: number) => [value: unknown, missing: unknown]>;
let parquetRows: Record<string, unknown>[];
let arrowTypes: string[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-types-'));
  const { connection, close } = await openDatabase();
  const path = (format: ResultFormat) => join(directory, `r.${format}`);
  // Each case is a column; the first row has its value, the second is null.
  const columns = cases.map(({ sql }, index) => `${sql} AS v${index}`);
  const names = cases.map((_, index) => `v${index}`);
  const sql = `SELECT ${names.join(', ')} FROM range(2) t(i) LEFT JOIN (SELECT 0 AS k, ${columns.join(', ')}) ON i = k ORDER BY i`;
  for (const format of resultFormats) {
    await runQuery(connection, sql, format, path(format));
  }
  const cast = async (sql: string) => (await connection.runAndReadAll(sql)).getRows();
  casts = (
    await cast(`SELECT ${cases.map(({ sql }) => `(${sql})::VARCHAR`).join(', ')}`)
  )[0] as string[];
  const parquet = await cast(`SELECT COLUMNS(*)::VARCHAR FROM '${path('parquet')}'`);
  close();
  const text = (format: ResultFormat) => readFileSync(path(format), 'utf8');
  const fromRows = (rows: readonly (readonly unknown[])[]) => (index: number) =>
    [rows[0]?.[index], rows[1]?.[index]] as [unknown, unknown];
  answers.csv = fromRows(parseCsv(text('csv')).slice(1));
  answers.table = fromRows(parseDrawn(text('table')).slice(1));
  answers.markdown = fromRows(parseMarkdown(text('markdown')).slice(2));
  answers.jsonl = fromRows(
    parseJsonLines(text('jsonl')).map((row) => row.map(([, value]) => value)),
  );
  const array = text('json');
  expect(JSON.parse(array)).toHaveLength(2);
  answers.json = fromRows(
    parseJsonLines(array.slice(2, -3).replaceAll(/^ {2}|,$/gm, '')).map((row) =>
      row.map(([, value]) => value),
    ),
  );
  answers.parquet = fromRows(parquet);
  const table = tableFromIPC(readFileSync(path('arrow')));
  arrowTypes = table.schema.fields.map((field) => String(field.type));
  const vectors = table.schema.fields.map((_, index) => table.getChildAt(index) as Vector);
  answers.arrow = (index) => [
    arrowText(vectors[index] as Vector, 0),
    arrowText(vectors[index] as Vector, 1),
  ];
  const file = Uint8Array.from(readFileSync(path('parquet'))).buffer;
  parquetRows = await parquetReadObjects({ file, compressors, utf8: false });
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The text of an Arrow value, from the numbers in its buffers. */
function arrowText(vector: Vector, row: number): string | null {
  const value = arrowValue(vector.data[0] as Data, row);
  return value === null || typeof value === 'string' ? value : JSON.stringify(value);
}

function arrowValue(data: Data, row: number): unknown {
  if (!data.getValid(row)) return null;
  const { type, children, valueOffsets } = data;
  const slice = (child: Data) =>
    Array.from(
      { length: (valueOffsets[row + 1] as number) - (valueOffsets[row] as number) },
      (_, index) => arrowValue(child, (valueOffsets[row] as number) + index),
    );
  if (DataType.isUtf8(type)) return bytesOf(data, row).toString();
  if (DataType.isBinary(type)) return bytesOf(data, row).toString('hex');
  if (DataType.isList(type)) return slice(children[0] as Data);
  if (DataType.isMap(type))
    return slice(children[0] as Data).map((pair) => Object.values(pair as object));
  if (DataType.isStruct(type)) {
    // Object.fromEntries keeps __proto__.
    return Object.fromEntries(
      type.children.map(({ name }, index) => [name, arrowValue(children[index] as Data, row)]),
    );
  }
  if (DataType.isBool(type))
    return String(((data.values[row >> 3] as number) >> (row & 7)) & 1 ? 'true' : 'false');
  if (DataType.isDecimal(type)) {
    const words = data.values.subarray(row * 4, row * 4 + 4) as Uint32Array;
    const unsigned = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
    const digits = BigInt.asIntN(128, unsigned);
    const text = (digits < 0n ? -digits : digits).toString().padStart(type.scale + 1, '0');
    const point = text.length - type.scale;
    return `${digits < 0n ? '-' : ''}${text.slice(0, point)}${type.scale > 0 ? `.${text.slice(point)}` : ''}`;
  }
  const number = data.values[row] as number | bigint;
  return Object.is(number, -0) ? '-0' : String(number);
}

function bytesOf({ values, valueOffsets }: Data, row: number): Buffer {
  return Buffer.from(values.subarray(valueOffsets[row], valueOffsets[row + 1]) as Uint8Array);
}

/** The number of a float, from DuckDB's text or ours; a FLOAT can have the digits of 64 bits. */
function floatOf(sql: string, text: unknown): string {
  const name = String(text)
    .replaceAll('"', '')
    .replace(/^(-?)inf$/, '$1Infinity');
  const number = sql.endsWith('FLOAT') ? Math.fround(Number(name)) : Number(name);
  return Object.is(number, -0) ? '-0' : String(number);
}
const isFloat = (sql: string): boolean => /::(FLOAT|DOUBLE)$/.test(sql);

describe.each(cases.map((one, index) => [one.sql.slice(0, 60), index] as const))(
  '%s',
  (_, index) => {
    const one = cases[index] as Case;
    const same = (value: unknown) => (isFloat(one.sql) ? floatOf(one.sql, value) : value);
    const plain = () => one.plain ?? (casts[index] as string);

    it.each(['table', 'markdown', 'csv', 'json', 'jsonl'] as const)(
      'keeps its value in %s',
      (format) => {
        const [value, missing] = answers[format](index);
        switch (format) {
          case 'csv':
            expect(same(uncsv(value as string))).toBe(same(one.csv ?? plain()));
            // Only a missing value is an empty cell without quotes.
            expect(value).not.toBe('');
            expect(missing).toBe('');
            return;
          case 'table':
            expect(same(String(value).trimEnd())).toBe(
              same(
                escapeForTerminal(plain() || '""')
                  .trim()
                  .trimEnd(),
              ),
            );
            expect(String(missing).trim()).toBe('');
            return;
          case 'markdown':
            expect(same(value)).toBe(same(escapeForTerminal(plain() || '""')));
            expect(missing).toBe('');
            return;
          default: {
            const source = one.json ?? (one.isNumber ? plain() : undefined);
            if (source !== undefined) expect(same(value)).toBe(same(source));
            else expect(JSON.parse(value as string)).toBe(plain());
            expect(missing).toBe('null');
          }
        }
      },
    );

    it('keeps its value in parquet', () => {
      const [value, missing] = answers.parquet(index);
      expect(same(value)).toBe(same(one.parquet ?? casts[index]));
      expect(missing).toBeNull();
      expect(parquetRows[1]?.[`v${index}`] ?? null).toBeNull();
      const read = parquetRows[0]?.[`v${index}`];
      // An independent reader, for integers and text, which it returns without loss.
      if (
        (typeof read === 'bigint' && one.isNumber) ||
        (typeof read === 'string' && one.parquet === undefined)
      ) {
        expect(String(read)).toBe(casts[index]);
      }
    });

    it('keeps its value in arrow', () => {
      const [value, missing] = answers.arrow(index);
      expect(missing).toBeNull();
      const type = arrowTypes[index] as string;
      if (one.arrowType !== undefined) expect(type).toBe(one.arrowType);
      if (/^(Date|Time)/.test(type))
        expect(timeText(type, value as string)).toBe(casts[index]?.replace('+00', ''));
      else expect(same(value)).toBe(same(one.arrow ?? casts[index]));
    });
  },
);

/** Formats the number of an Arrow time like DuckDB. */
function timeText(type: string, digits: string): string {
  const [, unit] = /<(\w+)/.exec(type) as unknown as [string, string];
  const scale = {
    SECOND: 1n,
    MILLISECOND: 1000n,
    MICROSECOND: 1_000_000n,
    NANOSECOND: 1_000_000_000n,
    DAY: 1n,
  }[unit] as bigint;
  const number = BigInt(digits) * (unit === 'DAY' ? 86_400n : 1n);
  const rest = ((number % scale) + scale) % scale;
  const second = (number - rest) / scale;
  const ofDay = ((second % 86_400n) + 86_400n) % 86_400n;
  // Multiples of 400 years bring the date into JavaScript's range.
  const cycle = 12_622_780_800n;
  const cycles = (second - ofDay) / cycle - ((second - ofDay) % cycle < 0n ? 1n : 0n);
  const date = new Date(Number(second - ofDay - cycles * cycle) * 1000);
  const year = date.getUTCFullYear() + Number(cycles) * 400;
  const day = `${String(year > 0 ? year : 1 - year).padStart(4, '0')}${date.toISOString().slice(4, 10)}${year > 0 ? '' : ' (BC)'}`;
  const fraction =
    rest === 0n
      ? ''
      : `.${rest
          .toString()
          .padStart(scale.toString().length - 1, '0')
          .replace(/0+$/, '')}`;
  const clock = new Date(Number(ofDay) * 1000).toISOString().slice(11, 19) + fraction;
  if (type.startsWith('Date')) return day;
  return type.startsWith('Timestamp') ? `${day} ${clock}` : clock;
}
