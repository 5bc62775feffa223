import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.js';
import { captureTables, tables } from '../../src/engine/columns.gen.js';
import { openDataset } from '../../src/query/dataset.js';
import { keepTables, sqlOf, tablesToKeep } from '../../src/query/keep.js';
import { runQuery } from '../../src/query/run.js';
import { fixtures } from '../helpers/corpus.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-keep-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const capture = join(fixtures, 'incident.scap');
const inputs = [capture, join(fixtures, 'webserver.scap')];

async function rowsOf(path: string, sql: string) {
  const { connection, close } = await openDatabase({ path });
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson();
  } finally {
    close();
  }
}

describe('without SQL', () => {
  it('a database has every table with all columns and rows, but not events and calls', async () => {
    const path = join(directory, 'kept.duckdb');
    const names = tablesToKeep(inputs, false);
    const kinds = [...tables.filter(({ kind }) => kind !== 'all'), ...captureTables].map(
      ({ name }) => name,
    );
    expect(names).toEqual(
      kinds.filter((name) => name !== 'events' && name !== 'calls' && !name.endsWith('_at')),
    );
    const dataset = await openDataset(inputs, sqlOf(names));
    await keepTables(dataset.connection, names, path);
    const compared = [
      ...names.map((name) => `FROM ${name}`),
      'FROM sysflow',
      `SELECT column_name, data_type FROM information_schema.columns WHERE table_name IN ('processes', 'sysflow') AND table_schema = 'main' ORDER BY ALL`,
    ];
    for (const sql of compared) {
      const expected = (await dataset.connection.runAndReadAll(sql)).getRowsJson();
      expect(await rowsOf(path, sql), sql).toEqual(expected);
    }
    dataset.close();
    const comments = await rowsOf(
      path,
      'SELECT count(*) FROM duckdb_tables() WHERE comment IS NULL',
    );
    expect(comments).toEqual([['0']]);
    expect(readdirSync(directory)).toEqual(['kept.duckdb']);
  });

  it('an input that can be read once, or a filter, leaves only records', () => {
    const records = tables.filter(({ kind }) => kind !== 'all').map(({ name }) => name);
    expect(tablesToKeep(['-'], false)).toEqual(records);
    expect(tablesToKeep(inputs, true)).toEqual(records);
  });
});

describe('with SQL', () => {
  it('a database has the result', async () => {
    const path = join(directory, 'result.duckdb');
    const sql =
      "SELECT 1 AS a, [2, 3] AS b, {'x': 'y'} AS c, TIMESTAMP_NS '2026-01-02 03:04:05.123456789' AS d";
    const dataset = await openDataset([capture], sql);
    await runQuery(dataset.connection, sql, 'duckdb', path);
    const expected = (await dataset.connection.runAndReadAll(sql)).getRowsJson();
    dataset.close();
    expect(await rowsOf(path, 'FROM result')).toEqual(expected);
  });

  it('an error leaves the older file', async () => {
    const path = join(directory, 'older.duckdb');
    writeFileSync(path, 'older');
    const sql = 'SELECT error(proc_exe) FROM process';
    const dataset = await openDataset([capture], sql);
    await expect(runQuery(dataset.connection, sql, 'duckdb', path)).rejects.toThrow();
    dataset.close();
    expect(readFileSync(path, 'utf8')).toBe('older');
    expect(readdirSync(directory).filter((name) => name.includes('older'))).toEqual([
      'older.duckdb',
    ]);
  });

  it('the log of an open database is not replayed into it', async () => {
    const path = join(directory, 'logged.duckdb');
    writeFileSync(`${path}.wal`, 'log');
    const dataset = await openDataset([capture], 'SELECT 1');
    await expect(runQuery(dataset.connection, 'SELECT 1', 'duckdb', path)).rejects.toThrow(
      'is the log of a database',
    );
    dataset.close();
  });
});
