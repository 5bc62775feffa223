import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.js';
import { quoteIdentifier, quoteText } from '../../src/duckdb/sql-text.js';
import { type TextFormat, textFormats } from '../../src/query/formats.js';
import { runQuery } from '../../src/query/run.js';
import { parseCsv, uncsv } from '../helpers/text-results.js';

// Captured text of any kind, in columns of any type and in their names, never reaches a terminal, a
// spreadsheet or Markdown unescaped.

const texts = [
  '\u001b[2J\u0007\u009b1m\u007f',
  '\r\n=1+1',
  '\ta\rb',
  '\u202eabc\u2066\u200b\u2028\ufeff\u061c',
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  "'=1",
  '<img src=x onerror=alert(1)>',
  '[a](http://b.c) `d` *e* | f',
  'http://b.c www.d.e',
];

/** Each shape contains the text of the column `s`. */
const shapes = {
  VARCHAR: 's',
  ENUM: `s::ENUM(${texts.map(quoteText).join(', ')})`,
  UNION: 'union_value(k := s)',
  'nested UNION': 'union_value(k := union_value(l := s))',
  'UNION of lists': 'union_value(k := [s])',
  VARIANT: 's::VARIANT',
  'VARIANT of lists': '[s]::VARIANT',
  'VARIANT of structs': "{'a': s}::VARIANT",
  LIST: '[s]',
  'longer LIST': "['x', s]",
  ARRAY: 'array_value(s, s)',
  STRUCT: "{'a': s}",
  'unnamed STRUCT': 'row(s)',
  MAP: 'MAP {s: s}',
  JSON: 'to_json(s)',
  'LIST of UNION': '[union_value(k := s)]',
  'LIST of STRUCT': "[{'a': s}]",
};

// Control characters of terminals; the format itself may use tab and newline.
const acts: Record<TextFormat, RegExp> = {
  table:
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/,
  markdown:
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/,
  csv: /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]|\r(?!\n)/,
  json: /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/,
  jsonl:
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/,
};

let directory: string;
let database: Awaited<ReturnType<typeof openDatabase>>;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-hostile-'));
  database = await openDatabase();
  await database.connection.run(
    `CREATE TABLE t AS SELECT * FROM (VALUES ${texts.map((s) => `(${quoteText(s)})`)}) v(s)`,
  );
});
afterAll(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

async function write(sql: string, format: TextFormat): Promise<string> {
  const path = join(directory, 'answer');
  await runQuery(database.connection, sql, format, path);
  return readFileSync(path, 'utf8');
}

function check(output: string, format: TextFormat): void {
  expect(output).not.toMatch(acts[format]);
  if (format === 'csv') {
    for (const cell of parseCsv(output).flat()) expect(cell).not.toMatch(/^"?[=+\-@\t\r]/);
  }
  if (format === 'markdown') {
    expect(output).not.toMatch(/(?<!\\)(?:<img|\[a|`d|\*e)/);
    expect(output).not.toMatch(/http:\/\/|www\.d/);
  }
}

describe.each(textFormats)('in %s', (format) => {
  it.each(Object.entries(shapes))('%s', async (_, sql) => {
    const output = await write(`select ${sql} as c from t`, format);
    expect(output).toContain('SUM(A1)');
    check(output, format);
  });

  it('names of columns, of fields and of keys', async () => {
    for (const text of texts) {
      const name = quoteIdentifier(text);
      check(
        await write(
          `select 1 as ${name}, {${quoteText(text)}: 1} as f, MAP {${quoteText(text)}: 1} as m`,
          format,
        ),
        format,
      );
    }
  });
});

it('CSV still preserves the text', async () => {
  const rows = parseCsv(await write('select s from t', 'csv')).slice(1);
  expect(rows.map(([cell]) => uncsv(cell as string))).toEqual(texts);
});
