import { type TableName, tableColumns, tables } from '../../engine/columns.gen.js';
import { quoteIdentifier, sqlTypes } from '../../export/duckdb.js';
import { withCalls, withoutCalls } from './calls.js';
import type { RecordType } from './row-rule.js';

// The rows that conditions are about: those of one table of events or flows, with the columns of all of them.

/** The table with the records of a type. */
export const tableOf: Readonly<Record<RecordType, TableName>> = {
  PE: 'process_event',
  FE: 'file_event',
  NF: 'network_flow',
  FF: 'file_flow',
  PF: 'process_flow',
  KE: 'k8s_event',
};

export const recordTypes = Object.keys(tableOf) as readonly RecordType[];

/** What rows have beyond their columns. */
export interface RowExtras {
  ancestors?: boolean;
  calls?: boolean;
}

/** SELECT of a table's rows; columns of other tables are null. */
export function rowsSql(type: RecordType, { ancestors = false, calls = false }: RowExtras = {}): string {
  const nothing = tableColumns.sysflow.map(
    (column) => `CAST(NULL AS ${sqlTypes[column.type]}) AS ${quoteIdentifier(column.name)}`,
  );
  const rows = `SELECT ${nothing.join(', ')} WHERE false UNION ALL BY NAME SELECT * FROM ${quoteIdentifier(tableOf[type])}`;
  const called = !calls ? rows : type === 'PE' ? withCalls(rows) : withoutCalls(rows);
  return ancestors ? withLineage(called) : called;
}

/** The process itself, its parent, and what the table of lineages says of the time of the row's end. */
function withLineage(rows: string): string {
  const list = (own: string, parents: string, others: string) =>
    `CASE WHEN proc_pid IS NULL THEN NULL ELSE [${own}] || CASE WHEN pproc_exe IS NULL THEN [] ELSE [${parents}] END || coalesce(lineage.${others}, []) END`;
  const line = (exe: string, args: string) => `concat_ws(' ', ${exe}, nullif(${args}, ''))`;
  return `SELECT kin.*,
    ${list("coalesce(proc_name, '')", "coalesce(pproc_name, '')", 'names')} AS proc_aname,
    ${list("coalesce(proc_exe, '')", "coalesce(pproc_exe, '')", 'exes')} AS proc_aexe,
    ${list(line("coalesce(proc_exe, '')", 'proc_args'), line('pproc_exe', 'pproc_args'), 'lines')} AS proc_acmdline,
    ${list('proc_pid', 'pproc_pid', 'pids')} AS proc_apid
    FROM (SELECT *, coalesce(endts_uts, ts_uts) AS lineage_at FROM (${rows})) kin ASOF LEFT JOIN ${lineageTable} lineage
    ON kin.pproc_pid = lineage.pid AND kin.pproc_createts = lineage.createts AND kin.lineage_at >= lineage.since`;
}

export const lineageTable = 'sfkit_check_lineage';

/** Columns whose values make two rows the same finding: what was done, by what program, with what. */
const sameness = [
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

/** Of these the ones that a record type has. */
export function samenessOf(type: RecordType): string[] {
  const own = new Set(tableColumns[tableOf[type]].map(({ name }) => name));
  return sameness.filter((column) => own.has(column));
}

/** The record type that a table is about. */
export function typeOf(table: TableName): RecordType | undefined {
  return tables.find(({ name }) => name === table)?.record as RecordType | undefined;
}
