import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';

// What `sfkit top` shows: each kind is a statement over a table of the capture.

/** A number to sort by. */
export interface Measure {
  /** SQL of the value. */
  sql: string;
  meaning: string;
}

/** One kind of things that can be compared. */
export interface TopKind {
  name: string;
  meaning: string;
  table: 'calls' | 'cpu' | 'events';
  /** Columns that say what a row is about. */
  keys: readonly string[];
  where?: string;
  /** Columns with numbers, by name; the first is what the rows are sorted by. */
  measures: Readonly<Record<string, Measure>>;
}

const bytes = { sql: 'sum(bytes)', meaning: 'bytes read and written' };
const read = { sql: 'sum(bytes_read)', meaning: 'bytes read or received' };
const written = { sql: 'sum(bytes_written)', meaning: 'bytes written or sent' };
const calls = { sql: 'sum("count")', meaning: 'system calls' };
const errors = { sql: 'sum(failed)', meaning: 'failed system calls' };
const seconds = { sql: 'round(sum(latency) / 1e9, 6)', meaning: 'seconds in system calls' };
const file = {
  sql: "coalesce(sum(bytes) FILTER (fd_type = 'file'), 0)",
  meaning: 'bytes read from and written to files',
};
const net = {
  sql: "coalesce(sum(bytes) FILTER (fd_type IN ('ipv4', 'ipv6')), 0)",
  meaning: 'bytes received and sent over the network',
};
const ofDescriptor = { bytes, read, written, calls, errors, seconds };
const ofUser = { bytes, file, net, calls, errors, seconds };
const isNetwork = "fd_type IN ('ipv4', 'ipv6')";
const latency = { sql: 'latency / 1e9', meaning: 'seconds between enter and exit event' };
const eventKeys = [
  'number',
  'ts',
  'pid',
  'comm AS process',
  'container_name AS container',
  'type AS call',
];

export const topKinds: readonly TopKind[] = [
  {
    name: 'processes',
    meaning: 'processes',
    table: 'calls',
    keys: ['pid', 'comm AS process', 'container_name AS container'],
    where: 'pid IS NOT NULL',
    measures: ofUser,
  },
  {
    name: 'files',
    meaning: 'files',
    table: 'calls',
    keys: ['fd_name AS file'],
    where: "fd_type = 'file'",
    measures: ofDescriptor,
  },
  {
    name: 'directories',
    meaning: 'directories of files',
    table: 'calls',
    keys: [
      "CASE WHEN fd_name LIKE '/%' THEN coalesce(nullif(regexp_replace(fd_name, '/[^/]*$', ''), ''), '/') END AS directory",
    ],
    where: "fd_type = 'file' AND fd_name IS NOT NULL",
    measures: ofDescriptor,
  },
  {
    name: 'connections',
    meaning: 'network connections',
    table: 'calls',
    keys: ['protocol', 'fd_name AS connection'],
    where: isNetwork,
    measures: ofDescriptor,
  },
  {
    name: 'hosts',
    meaning: 'remote addresses',
    table: 'calls',
    keys: ['remote_ip AS host'],
    where: `${isNetwork} AND remote_ip IS NOT NULL`,
    measures: ofDescriptor,
  },
  {
    name: 'ports',
    meaning: 'ports of servers',
    table: 'calls',
    keys: ['server_port AS port', 'protocol'],
    where: `${isNetwork} AND server_port IS NOT NULL`,
    measures: ofDescriptor,
  },
  {
    name: 'containers',
    meaning: 'containers',
    table: 'calls',
    keys: ['container_name AS container', 'container_id AS id'],
    where: 'container_id IS NOT NULL',
    measures: ofUser,
  },
  {
    name: 'users',
    meaning: 'users',
    table: 'calls',
    keys: ['"user"', 'uid'],
    where: 'uid IS NOT NULL',
    measures: ofUser,
  },
  {
    name: 'errors',
    meaning: 'errors of system calls',
    table: 'calls',
    keys: ['error', 'type AS call', 'comm AS process'],
    where: 'error IS NOT NULL',
    measures: { errors },
  },
  {
    name: 'syscalls',
    meaning: 'system calls',
    table: 'calls',
    keys: ['type AS call'],
    measures: { calls, errors, seconds },
  },
  {
    name: 'slow-calls',
    meaning: 'single system calls that took long',
    table: 'events',
    keys: [...eventKeys, 'fd_name AS object'],
    where: "direction = 'exit'",
    measures: { seconds: latency },
  },
  {
    name: 'slow-files',
    meaning: 'single reads and writes of files that took long',
    table: 'events',
    keys: [...eventKeys, 'fd_name AS file'],
    where: "direction = 'exit' AND fd_type = 'file' AND is_io",
    measures: { seconds: latency },
  },
  {
    name: 'cpu',
    meaning: 'processes, by time on the CPU',
    table: 'cpu',
    keys: ['pid', 'comm AS process', 'container_name AS container'],
    where:
      "source = CASE WHEN (SELECT bool_or(source = 'sample') FROM cpu) THEN 'sample' ELSE 'switch' END",
    measures: { seconds: { sql: 'round(sum(cpu_time) / 1e9, 6)', meaning: 'seconds on a CPU' } },
  },
];

export interface TopOptions {
  /** Name of the measure. Default: the first of the kind. */
  by?: string | undefined;
  /** Maximum rows. */
  rows: number;
  /** Of single calls: those that took at least so many nanoseconds. */
  least: bigint;
}

/** The statement for a kind; the highest values of the measure come first. */
export function topStatement(kindName: string, { by, rows, least }: TopOptions): string {
  const kind = topKinds.find(({ name }) => name === kindName);
  if (kind === undefined)
    throw unknown(
      'kind',
      kindName,
      topKinds.map(({ name }) => name),
    );
  const names = Object.keys(kind.measures);
  const chosen = by ?? (names[0] as string);
  if (!names.includes(chosen)) throw unknown(`measure of ${kind.name}`, chosen, names);
  const measures = names.map((name) => `${kind.measures[name]?.sql} AS ${name}`);
  const keys = kind.keys.map((key) => key.replace(/^.* AS /, ''));
  const isSingle = kind.table === 'events';
  const where = [kind.where, isSingle ? `latency >= ${least}` : undefined].filter(
    (each) => each !== undefined,
  );
  return [
    `SELECT ${[...kind.keys, ...measures].join(', ')}`,
    `FROM ${kind.table}`,
    ...(where.length === 0 ? [] : [`WHERE ${where.join(' AND ')}`]),
    ...(isSingle ? [] : ['GROUP BY ALL', `HAVING ${chosen} > 0`]),
    `ORDER BY ${chosen} DESC, ${keys.join(', ')}`,
    `LIMIT ${rows}`,
  ].join('\n');
}

function unknown(what: string, name: string, known: readonly string[]): SfkitError {
  const near = nearest(name, known);
  const advice = near === undefined ? '' : `did you mean '${near}'? `;
  return new SfkitError(
    'INVALID_ARGUMENT',
    `unknown ${what} '${name}'; ${advice}expected ${known.join(', ')}`,
  );
}
