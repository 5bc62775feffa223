import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runConversion } from '../../src/convert/convert.js';
import { openDatabase } from '../../src/duckdb/database.js';
import { schemaVersion, tableColumns, tables, views } from '../../src/engine/columns.gen.js';
import { planOne } from '../../src/export/plan.js';
import { singleInputs } from '../../src/query/inputs.js';
import { capturesIn, corpus, fixtures } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

const directory = testDirectory();
const capture = join(fixtures, 'webserver.scap');
const captures = [capture, ...capturesIn(join(corpus, 'sf-collector')).slice(0, 3)];

function toDatabase(input: string, output: string) {
  return runConversion(planOne(input, false, 'duckdb', output));
}

/** Rows of a database, as objects. */
async function rowsOf(path: string, sql: string): Promise<Record<string, unknown>[]> {
  const { connection, close } = await openDatabase({ path });
  try {
    return (await connection.runAndReadAll(sql)).getRowObjects() as Record<string, unknown>[];
  } finally {
    close();
  }
}

/** A row of JSON Lines with all digits of its numbers. */
function parsed(line: string): Record<string, unknown> {
  return JSON.parse(line.replace(/(":)(-?\d+)(?=[,}])/g, '$1"$2"'));
}

/** A value as in JSON Lines. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if ('items' in (value as object)) return (value as { items: unknown[] }).items;
  return `${String(value)
    .replace(' ', 'T')
    .replace(/(\.\d+)?$/, (decimals) => (decimals || '.').padEnd(10, '0'))}Z`;
}

describe('a DuckDB database', () => {
  it('has every table with its columns and comment, and the view sysflow', async () => {
    const output = directory.path('x.duckdb');
    await toDatabase(capture, output);
    const made = await rowsOf(output, 'SELECT table_name, comment FROM duckdb_tables() ORDER BY 1');
    const expected = tables
      .filter(({ kind }) => kind !== 'all')
      .map(({ name, doc }) => ({ table_name: name as string, comment: doc }));
    expected.push({
      table_name: 'sfkit_schema',
      comment: 'version of the tables and their columns',
    });
    expect(made).toEqual(
      expected.sort((left, right) => (left.table_name < right.table_name ? -1 : 1)),
    );
    expect(await rowsOf(output, 'SELECT version FROM sfkit_schema')).toEqual([
      { version: schemaVersion },
    ]);
    const shown = await rowsOf(
      output,
      'SELECT view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY 1',
    );
    expect(shown).toEqual([
      ...views.map(({ name, doc }) => ({ view_name: name, comment: doc })),
      { view_name: 'sysflow', comment: null },
    ]);
    expect(
      (await rowsOf(output, 'SELECT count(*) AS flows FROM connection_flows'))[0]?.flows,
    ).toBeGreaterThan(0n);
    const comments = await rowsOf(
      output,
      "SELECT comment FROM duckdb_columns() WHERE table_name = 'file_flow' AND column_name = 'flow_rbytes'",
    );
    expect(comments).toEqual([{ comment: 'bytes read or received [bytes]' }]);
    const types = {
      i32: 'INTEGER',
      i64: 'BIGINT',
      str: 'VARCHAR',
      bool: 'BOOLEAN',
      ops: 'VARCHAR[]',
      flags: 'VARCHAR[]',
      ts: 'TIMESTAMP_NS',
    };
    for (const { name } of tables) {
      const columns = await rowsOf(
        output,
        `SELECT column_name, column_type FROM (DESCRIBE "${name}")`,
      );
      expect(columns, name).toEqual(
        tableColumns[name].map((column) => ({
          column_name: column.name,
          column_type: types[column.type],
        })),
      );
    }
  });

  it.each(captures.map((path) => [path.slice(path.lastIndexOf('/') + 1), path]))(
    'has the same rows in the same order as JSON Lines: %s',
    async (_, input) => {
      const output = directory.path('x.duckdb');
      await toDatabase(input, output);
      await runConversion(planOne(input, false, 'jsonl', directory.path('lines/')));
      await runConversion(planOne(input, false, 'jsonl', directory.path('lines/sysflow.jsonl')));
      for (const { name } of tables) {
        const lines = readFileSync(directory.path('lines', `${name}.jsonl`), 'utf8')
          .split('\n')
          .slice(0, -1);
        const rows = await rowsOf(output, `SELECT * FROM "${name}"`);
        const found = rows.map((row) =>
          Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(value)])),
        );
        expect(found, name).toEqual(lines.map(parsed));
      }
    },
  );

  it('is the same from tables and from their capture', async () => {
    await toDatabase(capture, directory.path('x.duckdb'));
    await runConversion(planOne(capture, false, 'parquet', directory.path('t/')));
    const [input] = singleInputs([directory.path('t/')]);
    const plan = planOne(directory.path('t/'), false, 'duckdb', directory.path('y.duckdb'));
    await runConversion(plan, { tables: input?.tables });
    for (const { name } of tables) {
      const [one, other] = await Promise.all(
        ['x.duckdb', 'y.duckdb'].map((file) =>
          rowsOf(directory.path(file), `SELECT * FROM "${name}"`),
        ),
      );
      expect(one, name).toEqual(other);
    }
  });

  it('replaces an older one, keeps its permissions and leaves nothing else', async () => {
    const output = directory.path('x.duckdb');
    writeFileSync(output, 'older');
    chmodSync(output, 0o640);
    await toDatabase(capture, output);
    expect(statSync(output).mode & 0o777).toBe(0o640);
    expect(
      (await rowsOf(output, 'SELECT count(*) AS n FROM process')).map(({ n }) => Number(n) > 0),
    ).toEqual([true]);
    expect(readdirSync(directory.path())).toEqual(['x.duckdb']);
  });

  it('leaves an older one unchanged if the capture is unreadable', async () => {
    const output = directory.path('x.duckdb');
    writeFileSync(output, 'older');
    writeFileSync(directory.path('bad.scap'), 'not a capture');
    await expect(toDatabase(directory.path('bad.scap'), output)).rejects.toThrow(
      /is text; expected a capture/,
    );
    expect(readFileSync(output, 'utf8')).toBe('older');
    expect(readdirSync(directory.path()).sort()).toEqual(['bad.scap', 'x.duckdb']);
  });

  it('replaces the target of a link, not the link', async () => {
    symlinkSync('real.duckdb', directory.path('x.duckdb'));
    await toDatabase(capture, directory.path('x.duckdb'));
    expect(lstatSync(directory.path('x.duckdb')).isSymbolicLink()).toBe(true);
    expect(readdirSync(directory.path()).sort()).toEqual(['real.duckdb', 'x.duckdb']);
  });

  it.each(['.wal', '.wal.checkpoint', '.wal.recovery'])(
    'does not replay %s of an older one',
    async (ending) => {
      const output = directory.path('x.duckdb');
      writeFileSync(output, 'older');
      writeFileSync(output + ending, 'changes');
      await expect(toDatabase(capture, output)).rejects.toThrow(
        `cannot write ${output}: ${output}${ending} is the log of a database that is open or was not closed; remove it first`,
      );
      expect(readFileSync(output, 'utf8')).toBe('older');
      expect(readFileSync(output + ending, 'utf8')).toBe('changes');
      symlinkSync('x.duckdb', directory.path('link.duckdb'));
      await expect(toDatabase(capture, directory.path('link.duckdb'))).rejects.toThrow(
        /is the log of a database/,
      );
    },
  );

  it('creates a missing directory', async () => {
    const plan = planOne(capture, false, 'duckdb', directory.path('a/b/'));
    await runConversion(plan);
    expect(readdirSync(directory.path('a/b'))).toEqual(['webserver.duckdb']);
    await runConversion(planOne(capture, false, 'parquet', directory.path('t/')));
    const [input] = singleInputs([directory.path('t/')]);
    await runConversion(planOne(directory.path('t/'), false, 'duckdb', directory.path('c/')), {
      tables: input?.tables,
    });
    expect(readdirSync(directory.path('c'))).toEqual(['t.duckdb']);
  });

  it('is rejected as a stream', () => {
    expect(() => planOne(capture, false, 'duckdb', '-')).toThrow(
      'a DuckDB database must be a file; name it with -o, such as -o capture.duckdb',
    );
  });

  it.skipIf(!existsSync('/dev/full'))(
    'reports a full disk (skipped: no /dev/full here)',
    async () => {
      await expect(toDatabase(capture, '/dev/full')).rejects.toThrow(
        'cannot write /dev/full: no space left on the device',
      );
    },
  );
});
