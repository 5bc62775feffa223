import { quoteText } from '../duckdb/sql-text.js';
import type { Moment } from './moment.js';

// What `sfkit ps`, `sfkit lsof` and `sfkit netstat` show: the state of the machine at a moment.

const address = (side: 'local' | 'remote') => `CASE
    WHEN ${side}_ip IS NULL THEN NULL
    WHEN contains(${side}_ip, ':') THEN concat('[', ${side}_ip, ']:', ${side}_port)
    ELSE concat(${side}_ip, ':', ${side}_port) END AS ${side}`;

const container = 'coalesce(container_name, container_id) AS container';

const statements = {
  ps: {
    select: `SELECT pid, ppid, "user", tty, ts AS start, threads, descriptors, vm_size AS size_kb, vm_rss AS resident_kb,
  ${container}, cmdline`,
    from: 'processes_at',
    order: 'filename, pid',
  },
  lsof: {
    select: `SELECT comm AS command, pid, "user", fd, access, type, device, inode, name, ${container}`,
    from: 'descriptors_at',
    order: 'filename, pid, fd',
  },
  netstat: {
    select: `SELECT protocol, state, ${address('local')}, ${address('remote')}, role, pid, comm AS process, fd,
  ${container}`,
    from: 'sockets_at',
    order: 'filename, state, protocol, local_ip, local_port, pid, fd',
  },
} as const;

export type StateVerb = keyof typeof statements;

/** The statement of a verb. */
export function stateStatement(verb: StateVerb, moment: Moment, pid: bigint | undefined): string {
  const { select, from, order } = statements[verb];
  const conditions = [
    ...(verb === 'netstat' ? ['local_ip IS NOT NULL'] : []),
    ...(pid === undefined ? [] : [`pid = ${pid}`]),
  ];
  const where = conditions.length === 0 ? '' : `\nWHERE ${conditions.join(' AND ')}`;
  return `${select}\nFROM ${from}(${momentSql(moment)})${where}\nORDER BY ${order}`;
}

/** The argument of a table function of the state. */
function momentSql(moment: Moment): string {
  if (typeof moment === 'string') return quoteText(moment);
  if ('at' in moment) return `make_timestamp_ns(${moment.at})`;
  const { after } = moment;
  return `${after / 1_000_000_000n}.${String(after % 1_000_000_000n).padStart(9, '0')}`;
}
