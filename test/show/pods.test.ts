import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convert } from '../../src/convert/convert.js';
import type { TableName } from '../../src/engine/columns.gen.js';
import { SysflowEncoder } from '../../src/records/encode.js';
import { readFilter } from '../../src/show/filter.js';
import { type ShowOptions, show, showInputs } from '../../src/show/show.js';
import { corpus } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { readSf, type SfRecord } from '../helpers/sf.js';
import { memorySink } from '../helpers/sinks.js';

const directory = testDirectory();

type ShownRow = Record<string, unknown>;

async function rowsOf(
  path: string,
  table: TableName = 'sysflow',
  options: ShowOptions = {},
): Promise<ShownRow[]> {
  const sink = memorySink();
  await show(showInputs([path]), table, 'flatjson', sink, options);
  return sink
    .text()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const dotted = (number: bigint) =>
  [0n, 8n, 16n, 24n].map((shift) => (number >> shift) & 255n).join('.');
const unlessEmpty = <Value extends object>(value: Value) =>
  Object.keys(value).length === 0 ? null : value;

interface PodFields {
  ts: bigint;
  id: string;
  name: string;
  nodeName: string;
  hostIP: bigint[];
  internalIP: bigint[];
  namespace: string;
  restartCount: bigint;
  labels: Record<string, string>;
  selectors: Record<string, string>;
  services: { clusterIP: bigint[] }[];
}

/** The columns of a pod, from its record alone. */
function columnsOf(fields: PodFields): ShownRow {
  return {
    'pod.id': fields.id,
    'pod.name': fields.name,
    'pod.nname': fields.nodeName,
    'pod.ns': fields.namespace,
    'pod.rstrtcnt': Number(fields.restartCount),
    'pod.labels': unlessEmpty(fields.labels),
    'pod.selectors': unlessEmpty(fields.selectors),
    'pod.hostip': unlessEmpty(fields.hostIP.map(dotted)),
    'pod.internalip': unlessEmpty(fields.internalIP.map(dotted)),
    'pod.services': unlessEmpty(
      fields.services.map((service) => ({ ...service, clusterIP: service.clusterIP.map(dotted) })),
    ),
  };
}

const podOf = ({ fields }: SfRecord) => fields as unknown as PodFields;
const without = (row: ShownRow) =>
  Object.fromEntries(Object.entries(row).filter(([name]) => name.startsWith('pod.')));

/** The pods, and the pods of events and flows, as an independent reader joins them. */
function expected(records: readonly SfRecord[]): { pods: ShownRow[]; rows: ShownRow[] } {
  const pods = new Map<unknown, PodFields>();
  const containers = new Map<unknown, unknown>();
  const processes = new Map<string, unknown>();
  const key = (oid: unknown) => {
    const { createTS, hpid } = oid as { createTS: bigint; hpid: bigint };
    return `${createTS} ${hpid}`;
  };
  const all: { pods: ShownRow[]; rows: ShownRow[] } = { pods: [], rows: [] };
  for (const record of records) {
    const { type, fields } = record;
    if (type === 'Pod') {
      const pod = podOf(record);
      pods.set(pod.id, pod);
      all.pods.push(columnsOf(pod));
    } else if (type === 'Container') {
      containers.set(fields.id, (fields.podId as { string?: string } | null)?.string ?? null);
    } else if (type === 'Process') {
      processes.set(key(fields.oid), (fields.containerId as { string?: string } | null)?.string);
    } else if (fields.procOID !== undefined) {
      const podId = containers.get(processes.get(key(fields.procOID)));
      const pod = pods.get(podId);
      if (pod !== undefined)
        all.rows.push({ ...columnsOf(pod), 'pod.ts': Number(pod.ts), ts_uts: Number(fields.ts) });
    }
  }
  return all;
}

async function expectPods(path: string): Promise<number> {
  const { pods, rows } = expected(await readSf(path));
  expect((await rowsOf(path, 'pod')).map(without)).toEqual(pods);
  const shown = (await rowsOf(path)).filter((row) => row['pod.name'] !== null);
  expect(shown.map((row) => ({ ...without(row), ts_uts: row.ts_uts }))).toEqual(rows);
  return rows.length;
}

const withPods = join(corpus, 'rules/sysflow/traces/k8s_small.sf');

/** Events of a pod that changes, and one of other writers. */
function write(path: string): void {
  const encoder = new SysflowEncoder('deflate');
  const oid = { createTS: 5n, hpid: 7n };
  const pod = {
    ts: 10n,
    id: 'p1',
    name: 'web',
    nodeName: 'node',
    hostIP: [0x0100007fn],
    internalIP: [0x0200000an, 0x0300000an],
    namespace: 'default',
    restartCount: 2n,
    labels: { app: 'a "b"', '': 'x' },
    selectors: { disk: 'ssd' },
    services: [
      {
        name: 's',
        id: 'i',
        namespace: 'n',
        portList: [
          { port: 80, targetPort: 8080, nodePort: 30080, proto: 'TCP' },
          { port: 53, targetPort: 53, nodePort: 0, proto: 'UDP' },
        ],
        clusterIP: [0x0400000an],
      },
      { name: 'empty', id: '', namespace: '', portList: [], clusterIP: [] },
    ],
  };
  const event = (ts: bigint) => ({
    procOID: oid,
    ts,
    tid: 8n,
    opFlags: 64,
    sip: 0x0200000a,
    sport: 50000,
    dip: 0x0400000a,
    dport: 80,
    proto: 6,
    ret: -111,
  });
  const parts = [
    encoder.add('Header', { version: 5n, exporter: 'e', ip: '1.2.3.4', filename: 'f' }),
    encoder.add('Pod', pod),
    encoder.add('Container', {
      id: 'c1',
      name: 'c',
      image: 'i',
      imageid: 'x',
      type: 'CT_DOCKER',
      privileged: false,
      podId: 'p1',
    }),
    encoder.add('Process', {
      state: 'CREATED',
      oid,
      poid: null,
      ts: 11n,
      exe: '/bin/x',
      exeArgs: '',
      uid: 0,
      userName: 'root',
      gid: 0,
      groupName: 'root',
      tty: false,
      containerId: 'c1',
      entry: false,
      cwd: '/',
      env: [],
    }),
    encoder.add('NetworkEvent', event(12n)),
    encoder.add('Pod', { ...pod, ts: 13n, restartCount: 3n, services: [] }),
    encoder.add('NetworkEvent', event(14n)),
    encoder.take(),
  ];
  writeFileSync(path, Buffer.concat(parts.filter((part) => part !== undefined)));
}

describe('pods of a .sf file', () => {
  it.skipIf(!existsSync(withPods))('have the columns that avsc reads', async () => {
    expect(await expectPods(withPods)).toBeGreaterThan(1000);
  });

  it('change, and have services', async () => {
    write(directory.path('a.sf'));
    expect(await expectPods(directory.path('a.sf'))).toBe(2);
  });

  it('give connections as events', async () => {
    write(directory.path('a.sf'));
    const [row] = await rowsOf(directory.path('a.sf'), 'network_event');
    expect(row).toMatchObject({
      type: 'NE',
      idx: 0,
      opflags: ['CONNECT'],
      'proc.tid': 8,
      'net.proto': 6,
      'net.sip': '10.0.0.2',
      'net.sport': 50000,
      'net.dip': '10.0.0.4',
      'net.dport': 80,
      ret: -111,
      failed: true,
      error: 'ECONNREFUSED',
      res: '10.0.0.2:50000-10.0.0.4:80',
      'container.id': 'c1',
    });
  });

  it.each([
    ['pod.services[0.clusterIP.0] = 10.0.0.4', 1],
    ['sf.pod.services[0.clusterip.0] = 10.0.0.4', 1],
    ['pod.services[0.portList.1.proto] = UDP', 1],
    ['pod.labels[app] contains b', 2],
    ['pod.restartcnt >= 3', 1],
    ['sf.pod.internalip contains 10.0.0.3 and type = NE', 2],
  ])('are found by %s', async (condition, count) => {
    write(directory.path('a.sf'));
    const filter = readFilter(condition, undefined);
    expect(await rowsOf(directory.path('a.sf'), 'sysflow', { filter })).toHaveLength(count);
    if (!condition.startsWith('sf.')) return;
    const compat = 'sysflow-0.7';
    const rows = await rowsOf(directory.path('a.sf'), 'sysflow', {
      compat,
      filter: readFilter(condition, compat),
    });
    expect(rows).toHaveLength(count);
  });
});

describe('pods and events of connections', () => {
  const sources: [name: string, make: (path: string) => void][] = [['made', write]];
  if (existsSync(withPods))
    sources.push(['of the corpus', (path) => writeFileSync(path, readFileSync(withPods))]);

  it.each(sources)(
    'survive conversion to tables and back: %s',
    async (_, make) => {
      make(directory.path('a.sf'));
      for (const [name, format] of [
        ['t/', 'parquet'],
        ['u/', 'arrow'],
      ] as const) {
        const tables = `${directory.path(name)}/`;
        const output = directory.path(`${format}.sf`);
        await convert(directory.path('a.sf'), { output: tables, format });
        const { records, skipped } = await convert(tables, { output });
        expect(skipped.map(({ id }) => id)).not.toContain('unreadable-pod-details');
        const [before, after] = [await readSf(directory.path('a.sf')), await readSf(output)];
        const podsOf = (all: SfRecord[]) => all.filter(({ type }) => type === 'Pod');
        expect(podsOf(after)).toEqual(podsOf(before));
        expect(Number(records.Pod)).toBe(podsOf(before).length);
        expect(after.filter(({ type }) => type === 'NetworkEvent')).toEqual(
          before.filter(({ type }) => type === 'NetworkEvent'),
        );
        const text = (all: SfRecord[]) => expected(all).rows.map((row) => JSON.stringify(row));
        expect(text(after)).toEqual(text(before));
      }
    },
    60_000,
  );

  it('survive conversion to a .sf file', async () => {
    write(directory.path('a.sf'));
    const { skipped } = await convert(directory.path('a.sf'), { output: directory.path('b.sf') });
    expect(skipped).toEqual([]);
    expect(await readSf(directory.path('b.sf'))).toEqual(await readSf(directory.path('a.sf')));
  });
});
