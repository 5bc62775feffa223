import { captureTables, tableColumns } from '../../engine/columns.gen.js';
import { foldCase } from '../sql-tokens.js';
import type { SqlTable } from './types.js';

// The columns that answer fields of filters (fd.name) and attributes of SysFlow policies
// (sf.proc.exe).

/**
 * Columns of records for fields that are not spelled like a column; the first one that a table has
 * counts.
 */
const columnsOfFields: Readonly<Record<string, readonly string[]>> = {
  'evt.time': ['ts'],
  'evt.datetime': ['ts'],
  'evt.time.iso8601': ['ts'],
  'evt.rawtime': ['ts_uts'],
  'evt.type': ['opflags'],
  'evt.res': ['ret'],
  'evt.rawres': ['ret'],
  'evt.num': ['idx'],
  'evt.args': ['evt_args'],
  'proc.name': ['proc_name'],
  'proc.exepath': ['proc_exe'],
  'proc.exe': ['proc_exe'],
  'proc.pname': ['pproc_name'],
  'proc.pexe': ['pproc_exe'],
  'proc.pexepath': ['pproc_exe'],
  'proc.pcmdline': ['pproc_cmdline'],
  'proc.ppid': ['pproc_pid'],
  'thread.tid': ['proc_tid'],
  'user.name': ['proc_user'],
  'user.uid': ['proc_uid'],
  'group.name': ['proc_group'],
  'group.gid': ['proc_gid'],
  'fd.name': ['file_path', 'net_dip'],
  'fd.filename': ['file_name'],
  'fd.directory': ['file_directory'],
  'fd.num': ['file_fd', 'net_fd'],
  'fd.cip': ['net_sip'],
  'fd.lip': ['net_sip'],
  'fd.sip': ['net_dip'],
  'fd.rip': ['net_dip'],
  'fd.ip': ['net_dip'],
  'fd.cport': ['net_sport'],
  'fd.lport': ['net_sport'],
  'fd.sport': ['net_dport'],
  'fd.rport': ['net_dport'],
  'fd.port': ['net_dport'],
  'fd.l4proto': ['net_proto'],
  'container.image.repository': ['container_image'],
  'k8s.pod.name': ['pod_name'],
  'k8s.ns.name': ['pod_namespace'],
};

/** Fields of each capture table, with the column that holds it. */
const fieldsOfCaptures = new Map(
  captureTables.map(({ name: table }) => [
    table as string,
    new Map(
      tableColumns[table].flatMap(({ name, field }) =>
        field === undefined ? [] : [[field, name] as const],
      ),
    ),
  ]),
);

/** The column of a table that answers a dotted name; undefined if none does. */
export function columnOfField(
  dotted: string,
  { name: table, columns }: SqlTable,
): string | undefined {
  const field = foldCase(dotted);
  const plain = field.replace(/^sf\./, '');
  const own = fieldsOfCaptures.get(table);
  const wanted = [
    plain.replaceAll('.', '_'),
    ...(own === undefined ? (columnsOfFields[field] ?? []) : [own.get(field) ?? '']),
    ...(own === undefined
      ? []
      : [plain.replace(/^(evt|proc|user|group)\./, '').replaceAll('.', '_')]),
  ];
  return wanted.find((name) => columns.some((column) => foldCase(column.name) === name));
}
