import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { opNames } from '../../../src/engine/columns.gen.js';
import { openDataset, openPassingDatabase } from '../../../src/query/dataset.js';
import { createMacros, macroNames, macrosIn, readMacro } from '../../../src/query/macros/macros.js';
import { fixtures, root } from '../../helpers/corpus.js';

const incident = join(fixtures, 'incident.scap');

async function ask(sql: string): Promise<unknown[][]> {
  const dataset = await openDataset([incident], sql);
  try {
    return (await dataset.connection.runAndReadAll(sql)).getRowsJson() as unknown[][];
  } finally {
    dataset.close();
  }
}

it.each(macroNames())('%s has a head and an example that runs', async (name) => {
  const { text } = readMacro(name);
  expect(text).toMatch(/^-- title: \S/);
  const example = /^-- example: (.*)$/m.exec(text)?.[1] as string;
  expect(example).toMatch(new RegExp(`\\b${name}\\(`));
  await ask(example);
});

describe('macrosIn', () => {
  const names = (sql: string) => macrosIn(sql).map(({ name }) => name);

  it('finds calls, and what the called macros call, in order of creation', () => {
    expect(names('select IS_LOOPBACK (x)')).toEqual([
      'ipv4_number',
      'ipv6_groups',
      'address_number',
      'in_subnet',
      'is_loopback',
    ]);
    expect(names('from "timeline"(\'1 s\')')).toEqual(['timeline']);
  });

  it('finds nothing in names that are not calls', () => {
    expect(names('select timeline from around')).toEqual([]);
  });
});

describe('macros of processes', () => {
  it('process_tree() shows each process once, after its parent', async () => {
    const [all] = (await ask('select count(*) from processes')) as [[string]];
    const rows = await ask('select depth, pid, coalesce(forked_by, ppid) from process_tree()');
    expect(rows.length).toBe(Number(all[0]));
    const depths = new Map<unknown, number>();
    let children = 0;
    for (const [depth, pid, ppid] of rows) {
      const above = depths.get(ppid);
      expect(depth).toBe(above === undefined ? 0 : above + 1);
      if (above !== undefined) children++;
      depths.set(pid, depth as number);
    }
    expect(children).toBeGreaterThan(3);
  });

  it('descendants() and ancestors() are each other turned around', async () => {
    const pids = '(select distinct pid as top from processes)';
    const below = await ask(`select top, pid from ${pids}, descendants(top) order by all`);
    const above = await ask(`select pid, top from ${pids}, ancestors(top) order by all`);
    expect(below).toEqual(above);
    expect(below.length).toBeGreaterThan(15);
  });

  describe('of crafted processes', () => {
    let database: Awaited<ReturnType<typeof openPassingDatabase>>;
    let connection: DuckDBConnection;
    beforeAll(async () => {
      database = await openPassingDatabase();
      connection = database.connection;
    });
    afterAll(() => database.close());

    const rowsOf = async (sql: string, processes: string) => {
      await connection.run(`CREATE OR REPLACE TABLE processes AS ${processes}`);
      await createMacros(connection, macrosIn(sql));
      return (await connection.runAndReadAll(sql)).getRowsJson() as unknown[][];
    };
    const columns = `null as forked_by, 'x' as filename, '/bin/p' as exe, 'p' as comm`;

    it('keeps processes that are deeper than it follows, without a depth', async () => {
      const chain = `select n + 1 as pid, n as ppid, n as ts_uts, ${columns} from range(1000) t(n)`;
      const rows = await rowsOf('select depth, pid from process_tree()', chain);
      expect(rows.length).toBe(1000);
      expect(rows.filter(([depth]) => depth === null).length).toBe(1000 - 257);
      expect(rows[256]).toEqual([256, '257']);
    });

    it('shows processes in a loop once', async () => {
      const loop = `select * from (values (1, 2, 5), (2, 1, 5), (3, 1, 5), (4, 4, 5)) t(pid, ppid, ts_uts), (select ${columns})`;
      expect((await rowsOf('select pid from process_tree() order by 1', loop)).flat()).toEqual([
        1, 2, 3, 4,
      ]);
      expect(await rowsOf('select pid, depth from descendants(1) order by all', loop)).toEqual([
        [1, 0],
        [2, 1],
        [3, 1],
      ]);
    });

    it('gives a child to the process that had the number when it started', async () => {
      const reused = `select * from (values (7, 1, 100), (8, 7, 150), (7, 1, 200), (9, 7, 250)) t(pid, ppid, ts_uts), (select ${columns})`;
      expect(
        await rowsOf('select distance, pid, ts_uts from ancestors(8) order by 1', reused),
      ).toEqual([
        [0, 8, 150],
        [1, 7, 100],
      ]);
      expect(
        await rowsOf('select distance, pid, ts_uts from ancestors(9) order by 1', reused),
      ).toEqual([
        [0, 9, 250],
        [1, 7, 200],
      ]);
    });
  });
});

describe('addresses', () => {
  it.each([
    ['10.0.0.1', '281470849515521'],
    ['::ffff:10.0.0.1', '281470849515521'],
    ['::ffff:0a00:0001', '281470849515521'],
    ['::', '0'],
    ['::1', '1'],
    ['1::', '5192296858534827628530496329220096'],
    ['1:2:3:4:5:6:7:8', '5192455318486707404433266433261576'],
    ['FE80::1', '338288524927261089654018896841347694593'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '340282366920938463463374607431768211455'],
    ['256.0.0.1', null],
    ['1.2.3', null],
    ['1::2::3', null],
    [':::', null],
    ['1:2:3:4:5:6:7:8:9', null],
    ['1:2:3', null],
    ['12345::', null],
    ['fe80::1%eth0', null],
    ['', null],
  ])('%s is %s', async (address, number) => {
    expect(await ask(`select address_number('${address}')`)).toEqual([[number]]);
  });

  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3/32', true],
    ['10.1.2.3', '0.0.0.0/0', true],
    ['2001:db8::1', '0.0.0.0/0', false],
    ['2001:db8::1', '::/0', true],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['::ffff:192.168.1.1', '192.168.0.0/16', true],
    ['10.1.2.3', '10.0.0.0/33', null],
    ['10.1.2.3', '10.0.0.0', null],
    ['x', '10.0.0.0/8', null],
  ])('%s in %s: %s', async (address, subnet, expected) => {
    expect(await ask(`select in_subnet('${address}', '${subnet}')`)).toEqual([[expected]]);
  });

  it('distinguishes public addresses from others', async () => {
    const kinds = [
      '8.8.8.8',
      '2606:4700::1',
      '10.0.0.1',
      '127.0.0.1',
      '::1',
      'fe80::1',
      '224.0.0.1',
      '0.0.0.0',
      'fd00::1',
    ];
    const selected = kinds.map((address) => `is_public('${address}')`).join(', ');
    expect(await ask(`select ${selected}`)).toEqual([
      [true, true, false, false, false, false, false, false, false],
    ]);
  });
});

describe('names of bits', () => {
  it('op_names() knows each operation', async () => {
    const all = `op_names(${2 ** opNames.length - 1})`;
    expect(await ask(`select ${all}, op_names(0), op_names(null)`)).toEqual([
      [[...opNames], [], null],
    ]);
  });

  it('open_flags() knows each flag of the capture format', async () => {
    const { flags } = JSON.parse(readFileSync(join(root, 'native/tables/names.json'), 'utf8'));
    const named = (flags.file_flags as [string, number][]).filter(([, bit]) => bit !== 0);
    for (const [name, bit] of named)
      expect(await ask(`select open_flags(${bit})`)).toEqual([[[name]]]);
    expect(await ask('select open_flags(0)')).toEqual([[[]]]);
  }, 60_000);
});

describe('time', () => {
  it('around() takes what touches the span, to the nanosecond', async () => {
    const sql = (span: string) =>
      `select count(*) from around((select ts from sysflow where type = 'FE' order by idx limit 1), ${span})`;
    const [[none], [all]] = [
      (await ask(sql(`interval 0 seconds`)))[0],
      (await ask(sql(`'1 hour'`)))[0],
    ] as [[string], [string]];
    expect(Number(none)).toBeGreaterThan(0);
    expect(all).toBe(((await ask('select count(*) from sysflow')) as [[string]])[0][0]);
    expect(Number(none)).toBeLessThan(Number(all));
  });

  it('timeline() counts every row once', async () => {
    const [sums] = await ask(
      `select sum(file_events), sum(file_flows), sum(network_flows), sum(file_bytes_read) from timeline('100 milliseconds')`,
    );
    const [counts] = await ask(
      `select count(*) filter (type = 'FE'), count(*) filter (type = 'FF'), count(*) filter (type = 'NF'),
        sum(flow_rbytes) filter (type = 'FF') from sysflow`,
    );
    expect(sums?.map(Number)).toEqual(counts?.map(Number));
  });
});
