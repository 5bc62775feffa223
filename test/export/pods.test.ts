import { copyFileSync, existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { convert } from '../../src/convert/convert.js';
import { openDatabase } from '../../src/duckdb/database.js';
import type { TableName } from '../../src/engine/columns.gen.js';
import { testDirectory } from '../helpers/directory.js';
import { dotted, joinPods, type PodFields, podsOfCorpus, writePods } from '../helpers/pods.js';
import { type ReadRow, readArrow, readCsv, readJsonl, readParquet } from '../helpers/readers.js';
import { readSf, type SfRecord } from '../helpers/sf.js';

// Tables in every format have all fields of pods, services and NetworkEvent records, as avsc reads
// them from the .sf file.

const directory = testDirectory();

/** Rows of a DuckDB database. */
async function readDuckdb(table: TableName, path: string): Promise<ReadRow[]> {
  const database = await openDatabase({ path });
  try {
    const result = await database.connection.runAndReadAll(`SELECT * FROM ${table}`);
    return result.getRowObjects().map((row) => (name) => {
      const value = row[name] ?? null;
      return typeof value === 'number' ? BigInt(value) : (value as ReturnType<ReadRow>);
    });
  } finally {
    database.close();
  }
}

type Format = 'parquet' | 'arrow' | 'jsonl' | 'csv' | 'duckdb';

/** Converts a .sf file; returns a reader of its tables. */
async function tablesOf(
  input: string,
  format: Format,
): Promise<(table: TableName) => ReadRow[] | Promise<ReadRow[]>> {
  const output = directory.path(format === 'duckdb' ? 'all.duckdb' : `${format}/`);
  await convert(input, { output, format });
  return (table) => {
    const path = directory.path(format, `${table}.${format}`);
    switch (format) {
      case 'parquet':
        return readParquet(path);
      case 'arrow':
        return readArrow(table, path);
      case 'jsonl':
        return readJsonl(table, path);
      case 'csv':
        return readCsv(table, path);
      default:
        return readDuckdb(table, output);
    }
  };
}

const listColumns = ['pod_labels', 'pod_selectors', 'pod_hostip', 'pod_internalip', 'pod_services'];
const podColumns = ['pod_id', 'pod_name', 'pod_nname', 'pod_ns', 'pod_rstrtcnt', ...listColumns];

/** The columns of a pod that a row has; lists as values. */
function shown(row: ReadRow): Record<string, unknown> {
  const cell = (name: string) => {
    const value = row(name);
    return listColumns.includes(name) && value !== null ? JSON.parse(String(value)) : value;
  };
  return Object.fromEntries(podColumns.map((name) => [name, cell(name)]));
}

const unlessEmpty = <Value extends object>(value: Value) =>
  Object.keys(value).length === 0 ? null : value;

/** The same from the record of the pod. */
const columnsOf = (pod: PodFields) => ({
  pod_id: pod.id,
  pod_name: pod.name,
  pod_nname: pod.nodeName,
  pod_ns: pod.namespace,
  pod_rstrtcnt: pod.restartCount,
  pod_labels: unlessEmpty(pod.labels),
  pod_selectors: unlessEmpty(pod.selectors),
  pod_hostip: unlessEmpty(pod.hostIP.map(dotted)),
  pod_internalip: unlessEmpty(pod.internalIP.map(dotted)),
  pod_services: unlessEmpty(
    pod.services.map((service) => ({ ...service, clusterIP: service.clusterIP.map(dotted) })),
  ),
});

/** An IPv4 address of an event: 32 bits, the first byte lowest. */
const address = (number: unknown) => dotted(BigInt(number as number) & 0xffffffffn);

/** The columns of a connection, by the fields of its record. */
const connectionOf = ({ fields }: SfRecord) => ({
  ts_uts: fields.ts,
  proc_tid: fields.tid,
  opflags_bitmap: BigInt(fields.opFlags as number),
  net_sip: address(fields.sip),
  net_sport: BigInt(fields.sport as number),
  net_dip: address(fields.dip),
  net_dport: BigInt(fields.dport as number),
  net_proto: BigInt(fields.proto as number),
  ret: BigInt(fields.ret as number),
  proc_pid: (fields.procOID as { hpid: bigint }).hpid,
  proc_createts: (fields.procOID as { createTS: bigint }).createTS,
});

const events: TableName[] = ['process_event', 'file_event', 'network_event'];
const flows: TableName[] = ['process_flow', 'file_flow', 'network_flow'];

const sources: [name: string, make: (path: string) => void, rows: number][] = [
  ['made', writePods, 2],
];
if (existsSync(podsOfCorpus))
  sources.push(['of the corpus', (path) => copyFileSync(podsOfCorpus, path), 1000]);
const formats = ['parquet', 'arrow', 'jsonl', 'csv', 'duckdb'] as const;

describe.each(sources)('pods: %s', (_, make, leastRows) => {
  it.each(formats)(
    'have every field in tables as %s',
    async (format) => {
      const input = directory.path('a.sf');
      make(input);
      const records = await readSf(input);
      const wanted = joinPods(records);
      expect(wanted.rows.length).toBeGreaterThanOrEqual(leastRows);
      const read = await tablesOf(input, format);

      const pods = await read('pod');
      expect(pods.map((row) => ({ ...shown(row), ts_uts: row('ts_uts') }))).toEqual(
        wanted.pods.map((pod) => ({ ...columnsOf(pod), ts_uts: pod.ts })),
      );

      const found: { at: bigint; row: Record<string, unknown> }[] = [];
      for (const table of [...events, ...flows]) {
        for (const row of await read(table)) {
          if (row('pod_name') === null) continue;
          const more = { ts_uts: row('ts_uts'), pod_ts: row('pod_ts') };
          found.push({ at: row('idx') as bigint, row: { ...shown(row), ...more } });
        }
      }
      found.sort((left, right) => Number(left.at - right.at));
      expect(found.map(({ row }) => row)).toEqual(
        wanted.rows.map(({ pod, ts }) => ({ ...columnsOf(pod), ts_uts: ts, pod_ts: pod.ts })),
      );

      const connections = records.filter(({ type }) => type === 'NetworkEvent').map(connectionOf);
      const columns = Object.keys(connections[0] ?? {});
      const rows = await read('network_event');
      expect(
        rows.map((row) => Object.fromEntries(columns.map((name) => [name, row(name)]))),
      ).toEqual(connections);
    },
    60_000,
  );
});
