import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { convert } from '../../src/convert/convert.js';
import type { TableName } from '../../src/engine/columns.gen.js';
import { readFilter } from '../../src/show/filter.js';
import { type ShowOptions, show, showInputs } from '../../src/show/show.js';
import { testDirectory } from '../helpers/directory.js';
import { dotted, joinPods, type PodFields, podsOfCorpus, writePods } from '../helpers/pods.js';
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

const unlessEmpty = <Value extends object>(value: Value) =>
  Object.keys(value).length === 0 ? null : value;

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

const without = (row: ShownRow) =>
  Object.fromEntries(Object.entries(row).filter(([name]) => name.startsWith('pod.')));

/** The pods, and the pods of events and flows, as rows of sfkit show. */
function expected(records: readonly SfRecord[]): { pods: ShownRow[]; rows: ShownRow[] } {
  const { pods, rows } = joinPods(records);
  return {
    pods: pods.map(columnsOf),
    rows: rows.map(({ pod, ts }) => ({
      ...columnsOf(pod),
      'pod.ts': Number(pod.ts),
      ts_uts: Number(ts),
    })),
  };
}

async function expectPods(path: string): Promise<number> {
  const { pods, rows } = expected(await readSf(path));
  expect((await rowsOf(path, 'pod')).map(without)).toEqual(pods);
  const shown = (await rowsOf(path)).filter((row) => row['pod.name'] !== null);
  expect(shown.map((row) => ({ ...without(row), ts_uts: row.ts_uts }))).toEqual(rows);
  return rows.length;
}

describe('pods of a .sf file', () => {
  it.skipIf(!existsSync(podsOfCorpus))('have the columns that avsc reads', async () => {
    expect(await expectPods(podsOfCorpus)).toBeGreaterThan(1000);
  });

  it('change, and have services', async () => {
    writePods(directory.path('a.sf'));
    expect(await expectPods(directory.path('a.sf'))).toBe(2);
  });

  it('give connections as events', async () => {
    writePods(directory.path('a.sf'));
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
    writePods(directory.path('a.sf'));
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
  const sources: [name: string, make: (path: string) => void][] = [['made', writePods]];
  if (existsSync(podsOfCorpus))
    sources.push(['of the corpus', (path) => writeFileSync(path, readFileSync(podsOfCorpus))]);

  it.each(sources)(
    'survive conversion to tables and back: %s',
    async (_, make) => {
      make(directory.path('a.sf'));
      for (const format of ['parquet', 'arrow'] as const) {
        const tables = directory.path(`${format}/`);
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
    writePods(directory.path('a.sf'));
    const { skipped } = await convert(directory.path('a.sf'), { output: directory.path('b.sf') });
    expect(skipped).toEqual([]);
    expect(await readSf(directory.path('b.sf'))).toEqual(await readSf(directory.path('a.sf')));
  });
});
