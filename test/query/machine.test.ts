import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TableName } from '../../src/engine/columns.gen.js';
import { ParquetWriter } from '../../src/export/parquet.js';
import { openDataset } from '../../src/query/dataset.js';
import { runQuery } from '../../src/query/run.js';
import { batch, type Row } from '../helpers/batches.js';
import { fixtures, root } from '../helpers/corpus.js';

// An answer has the same bytes on every machine and with any number of threads.

let directory: string;
const path = (name: string) => join(directory, name);

/** More rows than DuckDB gives to one thread. */
const rowCount = 130_000;

async function parquet(name: string, table: TableName, rows: readonly Row[]) {
  const scratch = mkdtempSync(path('scratch-'));
  const writer = new ParquetWriter(scratch, [table]);
  writer.append(batch(table, rows));
  await writer.write(new Map([[table, path(name)]]));
  writer.close();
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-machine-'));
  for (const input of ['a', 'b']) {
    mkdirSync(path(input));
    const rows = Array.from({ length: rowCount }, (_, index) => ({
      idx: 2 * index,
      type: 'NF',
      filename: `${input}.scap`,
      proc_exe: `/bin/${index % 97}`,
    }));
    await parquet(`${input}/network_flow.parquet`, 'network_flow', rows);
    const events = Array.from({ length: 1000 }, (_, index) => ({
      idx: 2 * index + 1,
      type: 'PE',
      filename: `${input}.scap`,
    }));
    await parquet(`${input}/process_event.parquet`, 'process_event', events);
  }
  mkdirSync(path('home'));
  writeFileSync(path('home/.duckdbrc'), "set timezone = 'Asia/Tokyo';\n");
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true }));

it('time zone, locale, home and working directory change nothing', () => {
  const sql = `select extract(hour from timestamptz '2024-01-01 02:00:00+00') h,
    (timestamptz '2024-07-01 02:00:00+00')::varchar t, '2024-07-01 02:00'::timestamptz z, current_setting('TimeZone') tz,
    current_setting('Calendar') c, year(timestamptz '2024-01-01 00:00:00+00') y, 0.5::varchar d, upper('ıi') u,
    strftime(timestamptz '2024-03-01 00:00:00+00', '%A %B %x %c') f, make_timestamptz(2024, 1, 1, 0, 0, 0) m,
    (select list(x order by x) from unnest(['ä', 'a', 'Z', 'z']) s(x)) l, current_setting('threads') n`;
  const run = (env: NodeJS.ProcessEnv, cwd: string, format: string) => {
    const args = [
      join(root, 'bin/run.js'),
      'query',
      join(fixtures, 'webserver.scap'),
      sql,
      '--format',
      format,
    ];
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      env: { PATH: process.env.PATH, ...env },
      cwd,
    });
    expect(stderr.toString()).toBe('');
    return stdout;
  };
  const away = {
    TZ: 'America/New_York',
    LC_ALL: 'th_TH.UTF-8',
    LANG: 'tr_TR.UTF-8',
    HOME: path('home'),
  };
  for (const format of ['csv', 'parquet', 'arrow']) {
    const here = run({ HOME: directory, TZ: 'UTC' }, root, format);
    expect(here.byteLength).toBeGreaterThan(0);
    expect(run(away, path('home'), format).equals(here)).toBe(true);
    if (format === 'csv') {
      expect(here.toString().split('\r\n')[1]).toMatch(
        /^2,2024-07-01 02:00:00\+00,2024-07-01T02:00:00.000000Z,UTC,gregorian,2024,/,
      );
    }
  }
});

describe('rows without ORDER BY', () => {
  async function ask(inputs: readonly string[], sql: string): Promise<string> {
    const dataset = await openDataset(inputs.map(path), sql);
    try {
      await runQuery(dataset.connection, sql, 'csv', path('answer'));
    } finally {
      dataset.close();
    }
    return readFileSync(path('answer'), 'utf8');
  }

  it.each([
    [['a'], 'select idx, proc_exe from network_flow'],
    [['a'], "select idx from network_flow where proc_exe like '%7'"],
    [['a'], 'select idx, type from sysflow where idx > 100'],
    [['b', 'a'], 'select idx, filename from network_flow'],
    [['a', 'b'], "select idx, filename from sysflow where type = 'NF' limit 125000"],
    [['a', 'b'], 'select idx, filename from network_flow limit 5 offset 125000'],
  ])('come in order: %j %s', async (inputs, sql) => {
    const one = await ask(inputs, `set threads = 1; ${sql}`);
    const rows = one.trimEnd().split('\r\n').slice(1);
    expect(rows.length).toBeGreaterThan(4);
    let [index, name] = [-1, ''];
    for (const row of rows) {
      const [idx, filename] = row.split(',') as [string, string];
      const isLater =
        Number(idx) > index ||
        (sql.includes('filename') && Number(idx) === index && filename > name);
      if (!isLater) throw new Error(`${row} after ${index},${name}`);
      [index, name] = [Number(idx), filename];
    }
    expect(await ask(inputs, `set threads = 8; ${sql}`)).toBe(one);
    expect(await ask(inputs, sql)).toBe(one);
  });

  it('and sums of floats, are the same from run to run', async () => {
    const sql =
      'select proc_exe, sum(1 / (idx + 1)) s, count(*) from network_flow group by proc_exe';
    const first = await ask(['a', 'b'], sql);
    expect(first.split('\r\n').length).toBe(97 + 2);
    expect(await ask(['a', 'b'], sql)).toBe(first);
    expect(await ask(['a'], "select current_setting('threads')")).toContain('\r\n1\r\n');
  });
});
