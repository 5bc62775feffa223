import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  columns,
  type TableName,
  tableColumns,
  tables,
  views,
} from '../../src/engine/columns.gen.js';
import { openDataset } from '../../src/query/dataset.js';
import { runQuery } from '../../src/query/run.js';
import { batch, type Row } from '../helpers/batches.js';
import { testDirectory } from '../helpers/directory.js';
import { parquetOf } from '../helpers/table-files.js';

const directory = testDirectory();

async function write(name: string, table: TableName, rows: readonly Row[]): Promise<string> {
  const path = directory.path(name);
  writeFileSync(path, Buffer.from(await parquetOf(table, [batch(table, rows)])));
  return path;
}

async function query(
  path: string | readonly string[],
  sql: string,
): Promise<Record<string, unknown>[]> {
  const { connection, close } = await openDataset([path].flat(), sql);
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[];
  } finally {
    close();
  }
}

const connect = 0x40;
const accept = 0x20;
const read = 0x100;
let idx = 0;

/** A flow of 10.0.0.1:4000 to 10.0.0.2:80, over TCP. */
function flow(start: number, end: number, more: Row): Row {
  return {
    ...{
      idx: idx++,
      type: 'NF',
      ts_uts: BigInt(start),
      endts_uts: BigInt(end),
      opflags_bitmap: read,
    },
    ...{ net_proto: 6, net_sip: '10.0.0.1', net_sport: 4000, net_dip: '10.0.0.2', net_dport: 80 },
    ...{
      filename: 'a.scap',
      proc_pid: 1n,
      proc_createts: 0n,
      file_fd: 5,
      flow_rbytes: 0n,
      flow_wbytes: 0n,
    },
    ...more,
  };
}

const client = { role: 'client', proc_pid: 1n, proc_exe: '/bin/curl' };
const server = {
  role: 'server',
  proc_pid: 2n,
  proc_exe: '/bin/nginx',
  file_fd: 9,
  container_id: 'c1',
};

const connections =
  'select * exclude (filename, server_container_id, client_container_id) from connections';

async function connectionsOf(rows: readonly Row[], sql = connections) {
  return query(await write('network_flow.parquet', 'network_flow', rows), sql);
}

describe('the view connections', () => {
  it('counts a connection once if both ends are in the capture', async () => {
    const rows = [
      flow(10, 20, {
        ...client,
        net_dname: 'www.example.org',
        opflags_bitmap: connect,
        flow_wbytes: 100n,
        flow_rbytes: 7n,
      }),
      flow(11, 25, { ...server, opflags_bitmap: accept, flow_rbytes: 100n, flow_wbytes: 7n }),
      flow(20, 40, { ...client, flow_wbytes: 1n, flow_rbytes: 2n }),
    ];
    expect(await connectionsOf(rows)).toEqual([
      {
        connection: '1',
        net_proto: 6,
        client_ip: '10.0.0.1',
        client_port: 4000,
        server_ip: '10.0.0.2',
        server_port: 80,
        server_name: 'www.example.org',
        ts: '1970-01-01 00:00:00.00000001',
        endts: '1970-01-01 00:00:00.00000004',
        duration: '30',
        sent_bytes: '101',
        received_bytes: '9',
        seen_twice: true,
        client_pid: '1',
        client_exe: '/bin/curl',
        server_pid: '2',
        server_exe: '/bin/nginx',
      },
    ]);
    const marked = await connectionsOf(
      rows,
      'select side, seen_twice, is_mirror, net_sip from connection_flows',
    );
    expect(marked.map(({ side, seen_twice, is_mirror }) => [side, seen_twice, is_mirror])).toEqual([
      ['client', true, false],
      ['server', true, true],
      ['client', true, false],
    ]);
  });

  it('counts what only the server saw', async () => {
    const [found] = await connectionsOf([
      flow(1, 2, { ...server, flow_rbytes: 100n, flow_wbytes: 7n }),
    ]);
    expect(found).toMatchObject({
      sent_bytes: '100',
      received_bytes: '7',
      seen_twice: false,
      client_pid: null,
    });
  });

  it('takes a connect, or an accept without one, after the last end for another connection', async () => {
    const numbers = async (rows: readonly Row[]) =>
      (await connectionsOf(rows, 'select connection from connection_flows order by idx')).map(
        (row) => Number(row.connection),
      );
    const opens = { ...client, opflags_bitmap: connect };
    const accepts = { ...server, opflags_bitmap: accept };
    // The server accepts when the client has closed already.
    expect(await numbers([flow(1, 2, opens), flow(3, 4, accepts)])).toEqual([1, 1]);
    expect(
      await numbers([
        flow(1, 2, opens),
        flow(3, 4, accepts),
        flow(5, 6, opens),
        flow(7, 8, accepts),
      ]),
    ).toEqual([1, 1, 2, 2]);
    expect(await numbers([flow(1, 2, accepts), flow(3, 4, accepts)])).toEqual([1, 2]);
    expect(await numbers([flow(1, 2, opens), flow(3, 4, opens)])).toEqual([1, 2]);
    // A silent connection goes on.
    expect(await numbers([flow(1, 2, opens), flow(100, 200, client)])).toEqual([1, 1]);
    // Overlapping flows of threads and of both ends belong together.
    expect(await numbers([flow(1, 9, opens), flow(2, 3, accepts), flow(4, 5, accepts)])).toEqual([
      1, 1, 1,
    ]);
    // Other endpoints, protocols and captures do not.
    expect(await numbers([flow(1, 9, client), flow(2, 3, { ...client, net_sport: 4001 })])).toEqual(
      [1, 2],
    );
    expect(await numbers([flow(1, 9, client), flow(2, 3, { ...client, net_proto: 17 })])).toEqual([
      1, 2,
    ]);
    expect(
      await numbers([flow(1, 9, client), flow(2, 3, { ...client, filename: 'b.scap' })]),
    ).toEqual([1, 2]);
  });

  it('knows the side of a descriptor from its other flows, and of a connection with one known side', async () => {
    const side = (rows: readonly Row[]) =>
      connectionsOf(rows, 'select side from connection_flows order by idx').then((found) =>
        found.map((row) => row.side),
      );
    const unknown = { proc_pid: 2n, file_fd: 9 };
    expect(await side([flow(1, 2, server), flow(2, 3, unknown), flow(1, 3, client)])).toEqual([
      'server',
      'server',
      'client',
    ]);
    // A child of the server.
    expect(await side([flow(1, 2, server), flow(2, 3, { proc_pid: 3n })])).toEqual([
      'server',
      'server',
    ]);
    expect(
      await side([flow(1, 2, server), flow(1, 2, client), flow(2, 3, { proc_pid: 3n })]),
    ).toEqual(['server', 'client', null]);
    expect(await side([flow(1, 2, {})])).toEqual([null]);
  });

  it('takes the endpoints in either order, and survives hostile numbers', async () => {
    const swapped = { net_sip: '10.0.0.2', net_sport: 80, net_dip: '10.0.0.1', net_dport: 4000 };
    const most = 2n ** 63n - 1n;
    const [found, ...others] = await connectionsOf([
      flow(1, 5, { ...swapped, flow_wbytes: most, flow_rbytes: most }),
      flow(2, 6, { ...client, flow_wbytes: most, ts_uts: -most, endts_uts: most }),
    ]);
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      client_ip: '10.0.0.1',
      server_port: 80,
      sent_bytes: null,
      seen_twice: false,
    });
  });

  it('yields to a table of the user with its name', async () => {
    const own = directory.path('connections.parquet');
    writeFileSync(
      own,
      Buffer.from(await parquetOf('header', [batch('header', [{ node_id: 'mine' }])])),
    );
    const flows = await write('network_flow.parquet', 'network_flow', [flow(1, 2, client)]);
    // Its metadata names its table, so the file is a header; without that it is a table of its own.
    expect(await query([own, flows], 'select node_id from header')).toEqual([{ node_id: 'mine' }]);
    expect(await query([own, flows], 'select connection from connections')).toEqual([
      { connection: '1' },
    ]);
  });
});

it('views have the columns that columns.json declares', async () => {
  const path = await write('network_flow.parquet', 'network_flow', [flow(1, 2, client)]);
  const types = {
    i32: 'INTEGER',
    i64: 'BIGINT',
    str: 'VARCHAR',
    bool: 'BOOLEAN',
    ts: 'TIMESTAMP_NS',
  } as const;
  for (const view of views) {
    const found = await query(path, `select column_name, column_type from (describe ${view.name})`);
    const own = view.columns.map(({ name, type }) => ({
      column_name: name,
      column_type: types[type as 'i32'],
    }));
    const first =
      view.extends === undefined ? [] : tableColumns[view.extends].map(({ name }) => name);
    expect(found.slice(0, first.length).map(({ column_name }) => column_name)).toEqual(first);
    expect(found.slice(first.length)).toEqual(own);
  }
});

describe('tables of schema version 1', () => {
  /** The columns that a table had in version 1. */
  const old = (table: TableName) =>
    tableColumns[table].filter(({ since }) => since === 1).map(({ name }) => `"${name}"`);

  it('get the later columns that follow from their own', async () => {
    const events: Row[] = [
      { idx: 0, type: 'PE', opflags_bitmap: 2, ret: -2 },
      { idx: 1, type: 'PE', opflags_bitmap: 4, ret: 3 << 8 },
      { idx: 2, type: 'PE', opflags_bitmap: 4, ret: 9 },
      { idx: 3, type: 'PE', opflags_bitmap: 4, ret: -1 },
    ];
    const flows: Row[] = [
      flow(5, 9, { opflags_bitmap: connect }),
      flow(5, 2 ** 40, { opflags_bitmap: accept, endts_uts: -1n }),
      flow(5, 9, { opflags_bitmap: accept, net_proto: 17 }),
    ];
    const files: Row[] = [
      { idx: 9, type: 'FF', file_openflags: 0x1006, ts_uts: 1n, endts_uts: 3n },
    ];
    const paths: string[] = [];
    for (const [table, rows] of [
      ['process_event', events],
      ['network_flow', flows],
      ['file_flow', files],
    ] as const) {
      const whole = await write(`${table}-new.parquet`, table, rows);
      const path = directory.path(`${table}.parquet`);
      const sql = `select ${old(table).join(', ')} from ${table}`;
      const { connection, close } = await openDataset([whole], sql);
      await runQuery(connection, sql, 'parquet', path);
      close();
      paths.push(path);
    }
    expect(
      await query(paths, 'select failed, exit_code, signal, error from process_event'),
    ).toEqual([
      { failed: true, exit_code: null, signal: null, error: null },
      { failed: false, exit_code: 3, signal: 0, error: null },
      { failed: false, exit_code: null, signal: 9, error: null },
      { failed: false, exit_code: null, signal: null, error: null },
    ]);
    expect(
      await query(paths, 'select role, direction, duration, proc_comm from network_flow'),
    ).toEqual([
      { role: 'client', direction: 'out', duration: '4', proc_comm: null },
      { role: 'server', direction: 'in', duration: null, proc_comm: null },
      { role: null, direction: null, duration: '4', proc_comm: null },
    ]);
    expect(await query(paths, 'select openflags, duration from file_flow')).toEqual([
      { openflags: ['O_WRONLY', 'O_CREAT', 'O_CLOEXEC'], duration: '2' },
    ]);
  });
});

it('each column is in the schema version that columns.json names', () => {
  const made = new Map<string, number>(tables.map((table) => [table.name, table.since ?? 1]));
  for (const { name, since, added = {}, tables: holders } of columns) {
    for (const table of holders) {
      const column = tableColumns[table as TableName].find((one) => one.name === name);
      expect(column?.since, `${table}.${name}`).toBe(
        Math.max(added[table] ?? since, made.get(table) ?? 1),
      );
    }
  }
});
