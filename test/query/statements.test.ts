import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { parquetMetadata, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { distinctNames } from '../../src/query/columns.js';
import { openDataset } from '../../src/query/dataset.js';
import { type ResultFormat, resultFormats } from '../../src/query/formats.js';
import { runQuery } from '../../src/query/run.js';
import { fixtures } from '../helpers/corpus.js';
import {
  parseCsv,
  parseDrawn,
  parseJsonLines,
  parseMarkdown,
  uncsv,
} from '../helpers/text-results.js';

// Statements of every kind and columns of every name, in every format.

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-statements-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The names of the columns and the rows as text; a missing value is ''. */
async function ask(
  sql: string,
  format: ResultFormat,
): Promise<{ names: string[]; rows: string[][] }> {
  const path = join(directory, `answer.${format}`);
  const dataset = await openDataset([join(fixtures, 'webserver.scap')], sql);
  try {
    await runQuery(dataset.connection, sql, format, path);
  } finally {
    dataset.close();
  }
  const withNames = ([names, ...rows]: string[][]) => ({ names: names as string[], rows });
  const text = (value: unknown) => (value === null || value === undefined ? '' : String(value));
  const source = () => readFileSync(path, 'utf8');
  switch (format) {
    case 'csv':
      return withNames(parseCsv(source()).map((row) => row.map(uncsv)));
    case 'table':
      return withNames(parseDrawn(source()));
    case 'markdown': {
      const [names, , ...rows] = parseMarkdown(source());
      return { names: names as string[], rows };
    }
    case 'json':
    case 'jsonl': {
      const lines =
        format === 'json'
          ? source()
              .slice(2, -2)
              .replaceAll(/^ {2}|,$/gm, '')
          : source();
      const rows = parseJsonLines(lines);
      return {
        names: rows[0]?.map(([name]) => name) ?? [],
        rows: rows.map((row) => row.map(([, value]) => text(JSON.parse(value)))),
      };
    }
    case 'parquet': {
      const file = Uint8Array.from(readFileSync(path)).buffer;
      const names = parquetMetadata(file)
        .schema.slice(1)
        .map(({ name }) => name);
      let rows: unknown[][] = [];
      const onComplete = (read: unknown[][]) => {
        rows = read;
      };
      await parquetRead({ file, compressors, rowFormat: 'array', onComplete });
      return { names, rows: rows.map((row) => row.map(text)) };
    }
    case 'arrow': {
      const table = tableFromIPC(readFileSync(path));
      return {
        names: table.schema.fields.map(({ name }) => name),
        rows: Array.from({ length: table.numRows }, (_, row) =>
          table.schema.fields.map((_, index) => text(table.getChildAt(index)?.get(row))),
        ),
      };
    }
  }
}

describe.each(resultFormats)('in %s', (format) => {
  it.each([
    ['select 1 as x -- bye', [['1']]],
    ['select 1 as x; -- bye', [['1']]],
    ['select 1 as x -- bye\n', [['1']]],
    ['-- hello\nselect 1 as x /* bye */', [['1']]],
    ['/* ; */ select 1 as x; /* bye; */ ;;', [['1']]],
    ["select ';--' as x;", [[';--']]],
    ['select $$a;b--c$$ as x', [['a;b--c']]],
    ['values (1), (2);', [['1'], ['2']]],
    ['select 1; select 2 as x;', [['2']]],
    [
      'create table t (a integer); insert into t values (1), (2); select a + 1 from t',
      [['2'], ['3']],
    ],
    [
      "set timezone = 'Asia/Kolkata'; select extract(hour from timestamptz '2024-01-01 00:00:00+00')",
      [['5']],
    ],
    ["set variable v = 5; select getvariable('v')", [['5']]],
    ['prepare p as select 7; execute p', [['7']]],
    ['with a as (from range(2)) from a', [['0'], ['1']]],
    ['create table t as from range(3)', [['3']]],
    ['select count(*) > 0 from process', [['true']]],
    ['begin; create table q as select 4 a; commit; table q', [['4']]],
  ])('%s', async (sql, rows) => {
    expect((await ask(sql, format)).rows).toEqual(rows);
  });

  it.each([
    ['describe process', 'column_name', 'proc_exe'],
    ["summarize select 'some' as name", 'column_name', 'name'],
    ['show tables', 'name', 'network_flow'],
    ['pragma version', 'codename', 'Variegata'],
    ["pragma table_info('process')", 'name', 'proc_exe'],
    ['describe select 1 as one', 'column_name', 'one'],
  ])('%s', async (sql, name, value) => {
    const { names, rows } = await ask(sql, format);
    expect(names).toContain(name);
    expect(rows.map((row) => row[names.indexOf(name)])).toContain(value);
  });

  it('columns with equal names keep their values', async () => {
    const { names, rows } = await ask(
      'select 1 as a, 2 as a, 3 as a_1, 4 as "A", 5 as "a:1"',
      format,
    );
    expect(rows).toEqual([['1', '2', '3', '4', '5']]);
    const given = ['a', 'a', 'a_1', 'A', 'a:1'];
    const isFile = format === 'table' || format === 'csv' || format === 'markdown';
    expect(names).toEqual(isFile ? given : ['a', 'a_2', 'a_1', 'A_3', 'a:1']);
  });

  it('names can contain anything', async () => {
    const name = 'a "b" | \'c\', *d* __proto__ \\ é';
    const { names, rows } = await ask(
      `select 1 as "${name.replaceAll('"', '""')}", 2 as "__proto__"`,
      format,
    );
    expect(names).toEqual([name, '__proto__']);
    expect(rows).toEqual([['1', '2']]);
  });
});

it('a plan is drawn on separate lines', async () => {
  for (const sql of ['explain select 1', 'explain analyze select 1']) {
    await ask(sql, 'table');
    expect(readFileSync(join(directory, 'answer.table'), 'utf8')).toMatch(/│ +DUMMY_SCAN +│\n/);
    for (const format of ['csv', 'parquet', 'arrow'] as const) {
      expect((await ask(sql, format)).rows.flat().join()).toContain('DUMMY_SCAN');
    }
  }
});

it('repeated names get numbers that no other column has', () => {
  expect(distinctNames(['a', 'b'])).toEqual(['a', 'b']);
  expect(distinctNames(['a', 'a', 'a'])).toEqual(['a', 'a_1', 'a_2']);
  expect(distinctNames(['a', 'a', 'a_1', 'a_1', 'A_2'])).toEqual([
    'a',
    'a_3',
    'a_1',
    'a_1_1',
    'A_2',
  ]);
  expect(distinctNames(['É', 'é', 'constructor', '__proto__'])).toEqual([
    'É',
    'é_1',
    'constructor',
    '__proto__',
  ]);
});

it.each([
  'temp_directory',
  'extension_directory',
  'home_directory',
  'secret_directory',
  'autoload_known_extensions',
])('the setting %s is locked', async (name) => {
  await expect(ask(`set ${name} = '/tmp'; select 1`, 'csv')).rejects.toThrow(
    /has been locked|cannot/i,
  );
});

it('an error quotes no more than a line of a value', async () => {
  const error = await ask("select ('a' || chr(10) || repeat('y', 100000))::integer", 'csv').catch(
    (error) => error,
  );
  expect(error).toMatchObject({
    code: 'SQL_ERROR',
    message: expect.stringMatching(/^[^\n]{900,1100}$/),
  });
});
