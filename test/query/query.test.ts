import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TableName } from '../../src/engine/columns.gen.js';
import { ArrowTableFile, ArrowTableStream } from '../../src/export/arrow.js';
import { ParquetWriter } from '../../src/export/parquet.js';
import { fileSink } from '../../src/output/sink.js';
import { openDataset } from '../../src/query/dataset.js';
import type { ResultFormat } from '../../src/query/formats.js';
import { runQuery } from '../../src/query/run.js';
import { batch, type Row } from '../helpers/batches.js';

// Handmade table files like those of `sfkit convert`: queries on them need no engine.

let directory: string;
const path = (name: string) => join(directory, name);

const flows: Row[] = [
  {
    idx: 0,
    type: 'NF',
    proc_exe: '/bin/curl',
    flow_wbytes: 2n ** 62n,
    opflags_bitmap: 0x240,
    ts_uts: 1_600_000_000_000_000_001n,
    net_dip: '::1',
  },
  {
    idx: 2,
    type: 'NF',
    proc_exe: null,
    flow_wbytes: 2n ** 62n,
    opflags_bitmap: 0,
    proc_args: "'; drop table x; --",
  },
];
const events: Row[] = [{ idx: 1, type: 'PE', proc_exe: '/bin/sh', opflags_bitmap: 2 }];

async function parquet(name: string, table: TableName, rows: readonly Row[]) {
  const scratch = mkdtempSync(path('scratch-'));
  const writer = new ParquetWriter(scratch, [table]);
  writer.append(batch(table, rows));
  await writer.write(new Map([[table, path(name)]]));
  writer.close();
}

async function arrow(
  name: string,
  table: TableName,
  rows: readonly Row[],
  form: 'file' | 'stream' = 'file',
) {
  const sink = fileSink(path(name));
  const writer =
    form === 'file'
      ? new ArrowTableFile(table, sink, { scratch: path(`${name}.rows`) })
      : new ArrowTableStream(table, sink);
  await writer.write(batch(table, rows));
  await writer.close();
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-query-'));
  mkdirSync(path("it's [a] dir"));
  await parquet("it's [a] dir/network_flow.parquet", 'network_flow', flows);
  await parquet("it's [a] dir/process_event.parquet", 'process_event', events);
  await parquet('all.parquet', 'sysflow', [...flows, ...events]);
  await arrow('network_flow.arrow', 'network_flow', flows);
  await arrow('events.arrow', 'process_event', events, 'stream');
});
afterAll(() => rmSync(directory, { recursive: true }));

async function ask(
  inputs: readonly string[],
  sql: string,
  format: ResultFormat = 'jsonl',
): Promise<string> {
  const dataset = await openDataset(inputs.map(path), sql);
  try {
    await runQuery(dataset.connection, sql, format, path('answer'));
  } finally {
    dataset.close();
  }
  return format === 'parquet' || format === 'arrow' ? '' : readFileSync(path('answer'), 'utf8');
}

describe('inputs', () => {
  it.each([
    ['a directory of Parquet', ["it's [a] dir"]],
    ['one Parquet file of everything', ['all.parquet']],
    ['Arrow files and streams', ['network_flow.arrow', 'events.arrow']],
  ])('%s gives the tables and the view of all rows', async (_, inputs) => {
    expect(await ask(inputs, 'select idx, type, proc_exe, opflags from sysflow')).toBe(
      [
        '{"idx":0,"type":"NF","proc_exe":"/bin/curl","opflags":["CONNECT","WRITE_SEND"]}',
        '{"idx":1,"type":"PE","proc_exe":"/bin/sh","opflags":["EXEC"]}',
        '{"idx":2,"type":"NF","proc_exe":null,"opflags":[]}',
        '',
      ].join('\n'),
    );
    expect(await ask(inputs, 'select count(*) n from network_flow')).toBe('{"n":2}\n');
    expect(await ask(inputs, 'select count(*) n from file_flow')).toBe('{"n":0}\n');
  });

  it('are united', async () => {
    expect(
      await ask(
        ["it's [a] dir", 'events.arrow', 'all.parquet'],
        'select type, count(*) n from sysflow group by 1 order by 1',
      ),
    ).toBe('{"type":"NF","n":4}\n{"type":"PE","n":3}\n');
  });

  it('of an unknown kind are rejected with their kind', async () => {
    mkdirSync(path('empty'), { recursive: true });
    writeFileSync(path('broken.parquet'), 'PAR1 and nothing more');
    await expect(ask(['empty'], 'select 1')).rejects.toThrow(
      /empty: nothing to query: it has no tables, captures or \.sf files/,
    );
    await expect(ask(['broken.parquet'], 'select 1')).rejects.toThrow(
      /broken\.parquet: not a readable Parquet file/,
    );
  });
});

describe('answers', () => {
  const all = ["it's [a] dir"];

  it('keep sums of large integers exact in every form', async () => {
    const sql = 'select sum(flow_wbytes) s, max(flow_wbytes) m from network_flow';
    expect(await ask(all, sql)).toBe('{"s":9223372036854775808,"m":4611686018427387904}\n');
    expect(await ask(all, sql, 'csv')).toBe('s,m\r\n9223372036854775808,4611686018427387904\r\n');
    await ask(all, sql, 'parquet');
    const file = Uint8Array.from(readFileSync(path('answer'))).buffer;
    const [row] = await parquetReadObjects({ file, compressors });
    expect(row?.m).toBe(4611686018427387904n);
    await ask(all, sql, 'arrow');
    const table = tableFromIPC(readFileSync(path('answer')));
    expect(table.getChild('m')?.get(0)).toBe(4611686018427387904n);
    expect(String(table.schema.fields[0]?.type)).toBe('Decimal[38e0]');
  });

  it('show times with nanoseconds and lists as lists', async () => {
    const sql = 'select ts, opflags from network_flow where idx = 0';
    expect(await ask(all, sql, 'csv')).toBe(
      'ts,opflags\r\n2020-09-13T12:26:40.000000001Z,CONNECT|WRITE_SEND\r\n',
    );
    expect(await ask(all, sql, 'json')).toBe(
      '[\n  {"ts":"2020-09-13T12:26:40.000000001Z","opflags":["CONNECT","WRITE_SEND"]}\n]\n',
    );
    expect(await ask(all, sql, 'table')).toBe(
      [
        '┌────────────────────────────────┬───────────────────────┐',
        '│ ts                             │ opflags               │',
        '├────────────────────────────────┼───────────────────────┤',
        '│ 2020-09-13T12:26:40.000000001Z │ [CONNECT, WRITE_SEND] │',
        '└────────────────────────────────┴───────────────────────┘',
        '',
      ].join('\n'),
    );
    await ask(all, sql, 'arrow');
    expect(tableFromIPC(readFileSync(path('answer'))).getChild('ts')?.data[0]?.values[0]).toBe(
      1_600_000_000_000_000_001n,
    );
  });

  it('escape captured strings for terminals, spreadsheets and Markdown', async () => {
    const sql = "select 'a' || chr(27) || '[2J|<b>' as x, '=1' as y";
    expect(await ask(all, sql, 'table')).toContain('│ a\\x1b[2J|<b> │ =1 │');
    expect(await ask(all, sql, 'markdown')).toBe(
      '| x | y |\n| --- | --- |\n| a\\\\x1b\\[2J\\|\\<b\\> | =1 |\n',
    );
    expect(await ask(all, sql, 'csv')).toBe("x,y\r\na\\x1b[2J|<b>,'=1\r\n");
  });

  it('without rows are still well-formed', async () => {
    const sql = 'select idx, type from file_flow';
    expect(await ask(all, sql, 'json')).toBe('[]\n');
    expect(await ask(all, sql, 'csv')).toBe('idx,type\r\n');
    expect(await ask(all, sql, 'table')).toContain('│ idx │ type │');
    await ask(all, sql, 'arrow');
    expect(
      tableFromIPC(readFileSync(path('answer'))).schema.fields.map((field) => field.name),
    ).toEqual(['idx', 'type']);
  });

  it('to wrong SQL are one line', async () => {
    await expect(ask(all, 'select nothing from network_flow')).rejects.toMatchObject({
      code: 'SQL_ERROR',
      message: expect.stringMatching(
        /^Binder Error: Referenced column "nothing" not found in FROM clause! .*[^\n]*$/,
      ),
    });
    await expect(ask(all, 'selec 1')).rejects.toThrow(
      'Parser Error: syntax error at or near "selec"',
    );
    await expect(ask(all, "select json_extract_nothing('x')")).rejects.toMatchObject({
      code: 'SQL_ERROR',
    });
  });

  it.each([
    'install httpfs',
    "load '/tmp/x.duckdb_extension'",
    'select 1; LOAD httpfs',
    'update extensions',
  ])('never use an extension: %s', async (sql) => {
    await expect(ask(all, sql)).rejects.toMatchObject({
      code: 'SQL_ERROR',
      message:
        'INSTALL, LOAD and UPDATE EXTENSIONS are not allowed: sfkit uses no DuckDB extensions',
    });
  });

  it('fetch nothing where an extension is hidden in another statement', async () => {
    await expect(ask(all, 'explain analyze install httpfs')).rejects.toThrow(
      /Failed to create directory/,
    );
  });

  it('keep temporary files of DuckDB in a directory that is removed', async () => {
    const sql =
      "select current_setting('temp_directory') t, current_setting('extension_directory') e";
    const row = JSON.parse(await ask(all, sql)) as Record<string, string>;
    for (const place of Object.values(row)) {
      expect(place).toContain(tmpdir());
      expect(existsSync(dirname(place))).toBe(false);
    }
  });

  it.each(['', ' ;', '-- nothing\n', '/* a */ ; ;'])('need a statement: %j', async (sql) => {
    await expect(ask(all, sql)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'no SQL: only comments or semicolons',
    });
  });
});
