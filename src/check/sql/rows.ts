import { quoteIdentifier, sqlTypes } from '../../duckdb/sql-text.js';
import { type TableName, tableColumns, tables } from '../../engine/columns.gen.js';
import { withCalls, withoutCalls } from './calls.js';
import type { RecordType } from './row-rule.js';

// The rows that conditions evaluate: rows of one table of events or flows, with the columns of all
// these tables.

/** The table for each record type. */
export const tableOf: Readonly<Record<RecordType, TableName>> = {
  PE: 'process_event',
  FE: 'file_event',
  NE: 'network_event',
  NF: 'network_flow',
  FF: 'file_flow',
  PF: 'process_flow',
  KE: 'k8s_event',
};

export const recordTypes = Object.keys(tableOf) as readonly RecordType[];

/** Data beyond the plain columns. */
export interface RowExtras {
  ancestors?: boolean;
  calls?: boolean;
}

/** The columns that RowExtras add. */
export const extraColumns: readonly string[] = [
  ...[
    'proc_aname',
    'proc_aexe',
    'proc_acmdline',
    'proc_apid',
    'proc_parent',
    'proc_argv',
    'proc_loginuid',
  ],
];

/** SELECT of a table's rows; columns of other tables are null. */
export function rowsSql(
  type: RecordType,
  { ancestors = false, calls = false }: RowExtras = {},
): string {
  const nothing = tableColumns.sysflow.map(
    (column) => `CAST(NULL AS ${sqlTypes[column.type]}) AS ${quoteIdentifier(column.name)}`,
  );
  const rows = `SELECT ${nothing.join(', ')} WHERE false UNION ALL BY NAME SELECT * FROM ${quoteIdentifier(tableOf[type])}`;
  const called = !calls ? rows : type === 'PE' ? withCalls(rows) : withoutCalls(rows);
  return ancestors ? withLineage(called) : called;
}

/** SELECT of the rows of all record types. */
export function allRowsSql({ ancestors = false }: Pick<RowExtras, 'ancestors'> = {}): string {
  const rows = 'SELECT * FROM sysflow';
  return ancestors ? withLineage(rows) : rows;
}

/** Adds lineages. A process without one gets a list of itself and its parent. */
function withLineage(rows: string): string {
  const list = (kept: string, own: string, parents: string) =>
    `CASE WHEN proc_pid IS NULL THEN NULL
      ELSE coalesce(lineage.${kept}, [${own}] || CASE WHEN pproc_pid IS NULL THEN [] ELSE [${parents}] END) END`;
  const line = (exe: string, args: string) => `concat_ws(' ', ${exe}, nullif(${args}, ''))`;
  return `SELECT kin.*,
    ${list('names', 'proc_name', 'pproc_name')} AS proc_aname,
    ${list('exes', 'proc_exe', 'pproc_exe')} AS proc_aexe,
    ${list('lines', line('proc_exe', 'proc_args'), line('pproc_exe', 'pproc_args'))} AS proc_acmdline,
    ${list('pids', 'proc_pid', 'pproc_pid')} AS proc_apid,
    CASE WHEN lineage.pid IS NOT NULL THEN lineage.parent WHEN pproc_pid IS NOT NULL THEN {'exe': pproc_exe,
      'args': pproc_args, 'uid': pproc_uid, 'user': pproc_user, 'gid': pproc_gid, 'group': pproc_group,
      'tty': pproc_tty, 'entry': pproc_entry} END AS proc_parent
    FROM (${rows}) kin LEFT JOIN ${lineageTable} lineage
    ON kin.proc_pid = lineage.pid AND kin.proc_createts = lineage.createts`;
}

export const lineageTable = 'sfkit_check_lineage';

/**
 * Rows with equal values in these columns are the same finding: same action, program and object.
 */
const identityColumns = [
  'opflags_bitmap',
  'proc_exe',
  'proc_args',
  'proc_uid',
  'proc_user',
  'pproc_exe',
  'pproc_args',
  'evt_args',
  'file_path',
  'file_newpath',
  'net_proto',
  'net_sip',
  'net_dip',
  'net_dport',
  'container_id',
  'pod_id',
  'k8s_action',
  'k8s_kind',
  'k8s_msg',
] as const;

/** The identity columns that a record type has. */
export function identityColumnsOf(type: RecordType): string[] {
  const own = new Set(tableColumns[tableOf[type]].map(({ name }) => name));
  return identityColumns.filter((column) => own.has(column));
}

/** The record type of a table. */
export function typeOf(table: TableName): RecordType | undefined {
  return tables.find(({ name }) => name === table)?.record as RecordType | undefined;
}
