import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.js';
import { quoteText } from '../../src/duckdb/sql-text.js';
import { openDataset } from '../../src/query/dataset.js';
import { resolveInputs, singleInputs } from '../../src/query/inputs.js';
import { testDirectory } from '../helpers/directory.js';

const directory = testDirectory();

function make(...names: string[]): void {
  for (const name of names) {
    mkdirSync(directory.path(name, '..'), { recursive: true });
    writeFileSync(directory.path(name), 'bytes');
  }
}

describe('a directory', () => {
  it('is read through links to others', () => {
    make('a/one.scap', 'b/two.scap');
    symlinkSync('../b', directory.path('a/b.sysflow'));
    const paths = resolveInputs([directory.path('a')]).map(({ path }) => path);
    expect(paths).toEqual([directory.path('a/b.sysflow/two.scap'), directory.path('a/one.scap')]);
  });

  it.each(['x.sysflow', '20260101T000000Z'])('is rejected if the link %s forms a loop', (name) => {
    make('a/one.scap');
    symlinkSync('.', directory.path('a', name));
    for (const read of [resolveInputs, singleInputs]) {
      expect(() => read([directory.path('a')])).toThrow(
        `${directory.path('a', name)}: a link leads to a directory that is already included`,
      );
    }
  });

  it('is rejected if links lead to a directory in exponentially many ways', () => {
    for (let level = 0; level < 30; level++) {
      mkdirSync(directory.path(`${level}`));
      for (const way of ['a', 'b'])
        symlinkSync(`../${level + 1}`, directory.path(`${level}`, `${way}.sysflow`));
    }
    make('30/one.scap');
    expect(() => resolveInputs([directory.path('0')])).toThrow(
      /a link leads to a directory that is already included/,
    );
  });

  it('can be named twice', () => {
    make('a/one.scap');
    expect(resolveInputs([directory.path('a'), directory.path('a')])).toHaveLength(2);
  });

  it('is read despite dangling links', () => {
    make('a/one.scap');
    symlinkSync('nothing', directory.path('a/20260101T000000Z'));
    symlinkSync('nothing', directory.path('a/x.1700000000'));
    expect(resolveInputs([directory.path('a')])).toHaveLength(1);
  });
});

describe('files with names that differ only in case', () => {
  async function parquet(name: string, sql: string): Promise<string> {
    const { connection, close } = await openDatabase();
    await connection.run(`COPY (${sql}) TO ${quoteText(directory.path(name))} (FORMAT parquet)`);
    close();
    return directory.path(name);
  }
  async function rows(paths: string[], sql: string) {
    const { connection, close } = await openDataset(paths, sql);
    try {
      return (await connection.runAndReadAll(sql)).getRows();
    } finally {
      close();
    }
  }

  it('are one table', async () => {
    const paths = [
      await parquet('Other.parquet', 'SELECT 1 AS a'),
      await parquet('oTHER.parquet', 'SELECT 2 AS a'),
    ];
    expect(await rows(paths, 'SELECT a FROM other ORDER BY a')).toEqual([[1], [2]]);
  });

  it('are tables of records if they have such names', async () => {
    const path = await parquet('PROCESS.parquet', "SELECT 7::BIGINT AS proc_pid, 'x' AS more");
    expect(await rows([path], 'SELECT proc_pid, proc_exe, more FROM process')).toEqual([
      [7n, null, 'x'],
    ]);
  });

  it('are two tables if SQL distinguishes them', async () => {
    const paths = [
      await parquet('Ä.parquet', 'SELECT 1 AS a'),
      await parquet('ä.parquet', 'SELECT 2 AS a'),
    ];
    expect(await rows(paths, 'SELECT "Ä".a, "ä".a FROM "Ä", "ä"')).toEqual([[1, 2]]);
  });
});
