import { opNames, views } from '../engine/columns.gen.js';
import { quoteIdentifier } from './sql-text.js';

// The views that SQL has besides the tables. native/tables/columns.json declares their columns.

/** Where a view finds its rows: the table, or the view, of this name. */
const bodies: Readonly<Record<string, string>> = {
  connection_flows: connectionFlows(),
  connections: connections(),
};

/** CREATE VIEW statements, in order. `isTaken`: names that the user's tables have. */
export function createViewsSql(isTaken: (name: string) => boolean = () => false): string[] {
  const made = new Set<string>();
  return views.flatMap(({ name }) => {
    // Both views or none: the second reads the first.
    if (isTaken(name) || (name === 'connections' && !made.has('connection_flows'))) return [];
    made.add(name);
    return [`CREATE VIEW ${quoteIdentifier(name)} AS ${bodies[name]}`];
  });
}

/**
 * Flows of one connection have the same endpoints, in this order or the other. A connect or an
 * accept after the end of all earlier flows starts another connection; the accept that follows a
 * connect belongs to the same one.
 */
function connectionFlows(): string {
  const has = (op: string) => `opflags_bitmap & ${1 << opNames.indexOf(op)} <> 0`;
  const ends = 'filename, net_proto, sfkit_low, sfkit_high';
  const before = `OVER (PARTITION BY ${ends} ORDER BY ts_uts, idx ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`;
  const session = `PARTITION BY ${ends}, sfkit_session`;
  const helpers =
    'sfkit_low, sfkit_high, sfkit_opening, sfkit_reached, sfkit_opened, sfkit_session, sfkit_first';
  const seen = 'sfkit_client, sfkit_server';
  return `WITH flows AS (
    SELECT *, concat(net_sip, ' ', net_sport) AS sfkit_source, concat(net_dip, ' ', net_dport) AS sfkit_destination
    FROM network_flow
  ), keyed AS (
    SELECT * EXCLUDE (sfkit_source, sfkit_destination), least(sfkit_source, sfkit_destination) AS sfkit_low,
      greatest(sfkit_source, sfkit_destination) AS sfkit_high,
      CASE WHEN ${has('CONNECT')} THEN 'connect' WHEN ${has('ACCEPT')} THEN 'accept' END AS sfkit_opening
    FROM flows
  ), ordered AS (
    SELECT *, max(endts_uts) ${before} AS sfkit_reached, last_value(sfkit_opening IGNORE NULLS) ${before} AS sfkit_opened
    FROM keyed
  ), sessions AS (
    SELECT *, count(*) FILTER (sfkit_opening IS NOT NULL AND ts_uts > sfkit_reached
        AND NOT (sfkit_opening = 'accept' AND coalesce(sfkit_opened, '') = 'connect'))
      OVER (PARTITION BY ${ends} ORDER BY ts_uts, idx) AS sfkit_session
    FROM ordered
  ), sided AS (
    SELECT *, min(idx) OVER (${session}) AS sfkit_first,
      coalesce(role, max(role) OVER (${session}, proc_pid, proc_createts, file_fd)) AS side
    FROM sessions
  ), counted AS (
    SELECT * REPLACE (coalesce(side, CASE WHEN sfkit_client AND NOT sfkit_server THEN 'client'
        WHEN sfkit_server AND NOT sfkit_client THEN 'server' END) AS side),
      sfkit_client AND sfkit_server AS seen_twice
    FROM (SELECT *, coalesce(bool_or(side = 'client') OVER (${session}), false) AS sfkit_client,
      coalesce(bool_or(side = 'server') OVER (${session}), false) AS sfkit_server FROM sided)
  )
  SELECT * EXCLUDE (${helpers}, ${seen}, side, seen_twice),
    dense_rank() OVER (ORDER BY filename, sfkit_first) AS connection, side, seen_twice,
    seen_twice AND coalesce(side = 'server', false) AS is_mirror
  FROM counted ORDER BY filename, idx`;
}

/**
 * Bytes count at the client if both ends were seen. A process whose side is unknown stands for the
 * client.
 */
function connections(): string {
  const known = 'FILTER (role IS NOT NULL)';
  const first = (column: string, which: string) => `min_by(${column}, idx) ${which}`;
  const end = (column: string) => `coalesce(${first(column, known)}, ${first(column, '')})`;
  const bytes = (ofClient: string, ofServer: string) =>
    `TRY_CAST(coalesce(sum(CASE side WHEN 'server' THEN ${ofServer} ELSE ${ofClient} END) FILTER (NOT is_mirror), 0) AS BIGINT)`;
  const owner = (side: string) =>
    [
      ['proc_pid', 'pid'],
      ['proc_exe', 'exe'],
      ['container_id', 'container_id'],
    ].map(
      ([column, name]) =>
        `${first(column as string, `FILTER (side = '${side}')`)} AS ${side}_${name}`,
    );
  const columns = [
    'connection',
    'any_value(net_proto) AS net_proto',
    `${end('net_sip')} AS client_ip`,
    `${end('net_sport')} AS client_port`,
    `${end('net_dip')} AS server_ip`,
    `${end('net_dport')} AS server_port`,
    'any_value(net_dname) AS server_name',
    'min(ts) AS ts',
    'max(endts) AS endts',
    'epoch_ns(max(endts)) - epoch_ns(min(ts)) AS duration',
    `${bytes('flow_wbytes', 'flow_rbytes')} AS sent_bytes`,
    `${bytes('flow_rbytes', 'flow_wbytes')} AS received_bytes`,
    'bool_or(seen_twice) AS seen_twice',
    ...owner('client'),
    ...owner('server'),
    'any_value(filename) AS filename',
  ];
  return `SELECT ${columns.join(', ')} FROM connection_flows GROUP BY connection ORDER BY connection`;
}
