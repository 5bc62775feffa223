import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TableLoader } from '../../src/duckdb/database.js';
import { openDataset, openPassingDatabase } from '../../src/query/dataset.js';
import { runQuery } from '../../src/query/run.js';
import { batch } from '../helpers/batches.js';
import { fixtures } from '../helpers/corpus.js';

// What SQL of others may reach with --sandbox: nothing but the tables of the inputs.

const capture = join(fixtures, 'incident.scap');

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-sandbox-'));
  writeFileSync(join(directory, 'secret.csv'), 'word\nxyzzy\n');
  await writeParquet(join(directory, 'process.parquet'));
});
afterAll(() => rmSync(directory, { recursive: true }));

async function writeParquet(path: string): Promise<void> {
  const { connection, scratch, close } = await openPassingDatabase();
  const loader = new TableLoader(connection, scratch);
  await loader.create(['process']);
  loader.append(batch('process', [{ proc_exe: '/bin/sh' }]));
  await loader.finish();
  await connection.run(`COPY (SELECT * FROM sfkit_storage.process) TO '${path}' (FORMAT parquet)`);
  close();
}

let answers = 0;

/** The result as CSV, or the message of the error. */
async function answer(sql: string, { sandbox = true, inputs = [capture] } = {}): Promise<string> {
  const output = join(directory, `answer-${answers++}`);
  try {
    const dataset = await openDataset(
      inputs,
      sql,
      {},
      { sandbox, memoryLimit: '200MB', threads: 1 },
    );
    try {
      await runQuery(dataset.connection, sql, 'csv', output);
    } finally {
      dataset.close();
    }
  } catch (error) {
    return (error as Error).message;
  }
  return readFileSync(output, 'utf8').replaceAll('\r\n', '\n');
}

/** SQL that reads, writes or changes something outside; DIR is the test's directory. */
const escapes = [
  "SELECT * FROM read_csv('DIR/secret.csv')",
  "SELECT * FROM read_csv_auto('DIR/secret.csv')",
  "SELECT * FROM read_text('DIR/secret.csv')",
  "SELECT * FROM read_blob('DIR/secret.csv')",
  "SELECT * FROM sniff_csv('DIR/secret.csv')",
  "SELECT * FROM 'DIR/secret.csv'",
  "SELECT * FROM query('FROM ''DIR/secret.csv''')",
  "SELECT * FROM query_table(['DIR/secret.csv'])",
  "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''DIR/secret.csv'')'))",
  "FROM glob('DIR/*')",
  "SELECT count(*) FROM glob('/etc/*')",
  "SELECT * FROM read_parquet('DIR/process.parquet')",
  "SELECT * FROM parquet_metadata('DIR/process.parquet')",
  "CREATE TABLE t AS SELECT * FROM read_text('DIR/secret.csv'); FROM t",
  "CREATE VIEW v AS SELECT * FROM read_text('DIR/secret.csv'); FROM v",
  "CREATE MACRO m() AS TABLE SELECT * FROM read_text('DIR/secret.csv'); FROM m()",
  "PREPARE p AS SELECT * FROM read_text('DIR/secret.csv'); EXECUTE p",
  "COPY (SELECT 1) TO 'DIR/written'",
  "COPY process TO 'DIR/written' (FORMAT parquet)",
  "COPY (SELECT 1) TO 'DIR/process.parquet' (FORMAT parquet)",
  "CREATE TABLE t (word VARCHAR); COPY t FROM 'DIR/secret.csv'; FROM t",
  "PREPARE p AS COPY (SELECT 1) TO 'DIR/written'; EXECUTE p",
  "PREPARE p AS COPY (SELECT 1) TO 'DIR/process.parquet' (FORMAT parquet); EXECUTE p",
  "EXPLAIN ANALYZE COPY (SELECT 1) TO 'DIR/written'",
  "EXPORT DATABASE 'DIR/written'",
  "IMPORT DATABASE 'DIR'",
  "ATTACH 'DIR/written'",
  "ATTACH 'DIR/written.duckdb' AS other; CREATE TABLE other.t AS SELECT 1",
  "ATTACH ':memory:' AS other",
  'INSTALL httpfs',
  'LOAD httpfs',
  "LOAD 'DIR/secret.csv'",
  "INSTALL spatial FROM 'http://localhost:1'",
  'UPDATE EXTENSIONS',
  "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
  "SELECT * FROM 's3://bucket/x.parquet'",
  "SELECT getenv('HOME')",
  'SET enable_external_access = true',
  'RESET enable_external_access',
  'SET lock_configuration = false',
  'RESET lock_configuration',
  "SET allowed_paths = ['/etc/passwd']",
  "SET allowed_directories = ['/']",
  "SET temp_directory = 'DIR/written'",
  "SET home_directory = 'DIR'",
  "SET extension_directory = 'DIR'",
  "SET secret_directory = 'DIR'",
  "SET log_query_path = 'DIR/written'",
  "SET profiling_output = 'DIR/written'",
  "PRAGMA enable_profiling = 'json'; PRAGMA profiling_output = 'DIR/written'; SELECT 1",
  "PRAGMA database_size; PRAGMA profile_output = 'DIR/written'",
  "CALL enable_logging(storage = 'file', storage_path = 'DIR/written')",
  "CALL enable_logging('QueryLog', storage = 'file', storage_config = {'path': 'DIR/written'})",
  "SELECT * FROM enable_logging(storage = 'file', storage_path = 'DIR/written')",
  "CALL \"enable_logging\"(storage = 'file', storage_path = 'DIR/written')",
  "CALL U&\"enable\\005flogging\"(storage = 'file', storage_path = 'DIR/written')",
  "CALL system.main.Enable_Logging(storage = 'stdout')",
  "FROM query('FROM enable_' || 'logging(storage = ''file'', storage_path = ''DIR/written'')')",
  "FROM query /* ( */ -- (\n ('FROM enable_' || 'logging()')",
  "FROM \"query\" ('FROM enable_' || 'logging()')",
  "CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')",
  "SET memory_limit = '100GB'",
  "SET max_memory = '100GB'",
  'SET threads = 64',
  'SET GLOBAL worker_threads = 64',
  'PRAGMA threads = 64',
  "PRAGMA memory_limit = '100GB'",
];

describe.concurrent('a sandbox refuses', () => {
  it.each(escapes)('%s', async (template) => {
    const sql = template.replaceAll('DIR', directory);
    const before = readFileSync(join(directory, 'process.parquet'));
    const text = await answer(sql, { inputs: [capture, join(directory, 'process.parquet')] });
    expect(text).toMatch(/Error|not allowed/);
    expect(text).not.toContain('xyzzy');
    expect(readdirSync(directory).filter((name) => name.startsWith('written'))).toEqual([]);
    expect(readFileSync(join(directory, 'process.parquet'))).toEqual(before);
  });
});

describe('without a sandbox', () => {
  it('the same SQL reads and writes files', async () => {
    const read = `SELECT * FROM read_csv('${directory}/secret.csv')`;
    expect(await answer(read, { sandbox: false })).toBe('word\nxyzzy\n');
    await answer(`COPY (SELECT 1) TO '${directory}/copied'; SELECT 1`, { sandbox: false });
    expect(existsSync(join(directory, 'copied'))).toBe(true);
  });
});

describe.concurrent('a sandbox allows', () => {
  it.each([
    ['SELECT count(*) > 0 AS n FROM process', 'n\ntrue\n'],
    ['SELECT count(*) > 0 AS n FROM events', 'n\ntrue\n'],
    ['SELECT count(*) > 0 AS n FROM processes', 'n\ntrue\n'],
    ['CREATE TABLE t AS SELECT 1 AS n; FROM t', 'n\n1\n'],
    ["SELECT count(*) AS n FROM process WHERE proc_exe = 'export' OR proc_exe = 'query'", 'n\n0\n'],
    [
      "SET timezone = 'Asia/Tokyo'; SELECT current_setting('timezone') AS zone",
      'zone\nAsia/Tokyo\n',
    ],
    ["SELECT current_setting('memory_limit') AS n", 'n\n190.7 MiB\n'],
  ])('%s', async (sql, expected) => {
    expect(await answer(sql)).toBe(expected);
  });

  it('tables in files', async () => {
    const inputs = [join(directory, 'process.parquet')];
    expect(await answer('SELECT proc_exe FROM process', { inputs })).toBe('proc_exe\n/bin/sh\n');
  });
});
