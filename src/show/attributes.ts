import { type ColumnSpec, columns } from '../engine/columns.gen.js';
import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';

// Names of SysFlow attributes. A column has its own name (proc_exe), that of sysprint (proc.exe)
// and that of policies (sf.proc.exe). Other tools have further names for some columns.

/** Parts of records: in the name of an attribute, a dot follows them. */
const sections: readonly string[] = [
  ...['proc', 'pproc', 'file', 'net', 'flow', 'pf', 'evt'],
  ...['container', 'pod', 'k8s', 'node'],
];

/** The name of a column as an attribute: proc.exe for proc_exe. */
export function attributeName(column: string): string {
  const cut = column.indexOf('_');
  return sections.includes(column.slice(0, cut)) ? column.replace('_', '.') : column;
}

/** Names of other tools, with underscores, and the columns or lists that they stand for. */
const otherNames: Readonly<Record<string, string>> = {
  pod_nodename: 'pod_nname',
  pod_namespace: 'pod_ns',
  pod_restartcnt: 'pod_rstrtcnt',
  ke_action: 'k8s_action',
  ke_kind: 'k8s_kind',
  ke_message: 'k8s_msg',
  meta_schema: 'schema',
  meta_tracename: 'filename',
  container_image_id: 'container_imageid',
  evt_type: 'opflags',
  evt_rawres: 'ret',
  evt_rawtime: 'ts_uts',
  evt_is_open_read: 'file_is_open_read',
  evt_is_open_write: 'file_is_open_write',
  evt_arg_uid: 'proc_uid',
  fd_typechar: 'file_type',
  fd_directory: 'file_directory',
  fd_name: 'file_path',
  fd_filename: 'file_name',
  fd_num: 'file_fd',
  fd_proto: 'net_proto',
  fd_l4proto: 'net_proto',
  fd_sip: 'net_sip',
  fd_dip: 'net_dip',
  fd_sport: 'net_sport',
  fd_dport: 'net_dport',
  fd_ip: 'net_ip',
  fd_port: 'net_port',
  user_name: 'proc_user',
  proc_createtime: 'proc_createts',
  proc_pgid: 'pproc_gid',
  proc_puid: 'pproc_uid',
  proc_pgroup: 'pproc_group',
  proc_ptty: 'pproc_tty',
  proc_puser: 'pproc_user',
  proc_pexe: 'pproc_exe',
  proc_pargs: 'pproc_args',
  proc_pcreatetime: 'pproc_createts',
  proc_pname: 'pproc_name',
  proc_pcmdline: 'pproc_cmdline',
};

/** Attributes that only filters have, because they are no columns. */
export const filterOnly: readonly { name: string; type: 'list' | 'str'; doc: string }[] = [
  {
    name: 'proc_apid',
    type: 'list',
    doc: 'host process ids of the process and its ancestors, nearest first',
  },
  {
    name: 'proc_aname',
    type: 'list',
    doc: 'last elements of the executables of the process and its ancestors',
  },
  { name: 'proc_aexe', type: 'list', doc: 'executables of the process and its ancestors' },
  { name: 'proc_acmdline', type: 'list', doc: 'command lines of the process and its ancestors' },
  { name: 'file_newname', type: 'str', doc: 'last element of file_newpath' },
  { name: 'file_newdirectory', type: 'str', doc: 'file_newpath without its last element' },
  { name: 'net_ip', type: 'list', doc: 'both addresses' },
  { name: 'net_port', type: 'list', doc: 'both ports' },
];

const columnOf = new Map(columns.map((column) => [column.name, column]));
const onlyFilters = new Set(filterOnly.map(({ name }) => name));

/**
 * The column or list for a name in any form, undefined if there is none. Names of columns come
 * before those of other tools.
 */
export function plainName(name: string): string | undefined {
  const plain = name.toLowerCase().replaceAll('.', '_').replace(/^sf_/, '');
  const known = columnOf.has(plain) ? plain : (otherNames[plain] ?? plain);
  return columnOf.has(known) || onlyFilters.has(known) ? known : undefined;
}

/** The column of a plain name; undefined for what only filters have. */
export function columnSpec(plain: string): ColumnSpec | undefined {
  return columnOf.get(plain);
}

/** An error that names the attribute and, if there is one, a similar name. */
export function unknownAttribute(name: string, where: string): SfkitError {
  const names = [...columnOf.keys(), ...onlyFilters].map(attributeName);
  const likely = nearest(name.toLowerCase().replace(/^sf[._]/, ''), names);
  const advice = likely === undefined ? '' : `did you mean '${likely}'? `;
  return new SfkitError(
    'INVALID_ARGUMENT',
    `${where}: '${name}' is not an attribute; ${advice}sfkit show -l lists them`,
  );
}

/** A column as the user named it. */
export interface Selected {
  label: string;
  column: string;
}

/** The columns of a list of attributes between commas. Throws for names that no table has. */
export function selectedColumns(list: string, has: (column: string) => boolean): Selected[] {
  const selected: Selected[] = [];
  for (const label of list.split(',').map((part) => part.trim())) {
    const column = plainName(label);
    if (column === undefined) throw unknownAttribute(label, '-c');
    if (onlyFilters.has(column)) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        `-c: '${label}' can only be used in --filter; it is no column`,
      );
    }
    if (!has(column))
      throw new SfkitError('INVALID_ARGUMENT', `-c: the table has no column '${label}'`);
    if (selected.some((one) => one.column === column))
      throw new SfkitError('INVALID_ARGUMENT', `-c: '${label}' is there twice`);
    selected.push({ label, column });
  }
  return selected;
}

/** What `show -l` lists. */
export interface ListedAttribute {
  attribute: string;
  column: string | null;
  type: string;
  meaning: string;
}

/** The attributes of events and flows, those that only filters have at the end. */
export function listedAttributes(): ListedAttribute[] {
  return [
    ...columns.map(({ name, type, doc }) => ({
      attribute: attributeName(name),
      column: name,
      type: typeNames[type] ?? type,
      meaning: doc,
    })),
    ...filterOnly.map(({ name, type, doc }) => ({
      attribute: attributeName(name),
      column: null,
      type: typeNames[type] ?? type,
      meaning: `${doc} (filter only)`,
    })),
  ];
}

const typeNames: Readonly<Record<string, string>> = {
  i32: 'number',
  i64: 'number',
  str: 'text',
  bool: 'boolean',
  ts: 'time',
  ops: 'list',
  flags: 'list',
  list: 'list',
};
