import { opNames } from '../../engine/columns.gen.js';
import type { RowNeed, SharedValue } from '../sql/row-rule.js';

// Attributes of policies as SQL over the columns of `sysflow`. The SysFlow processor keeps a record
// in one array, in which attributes of different record types share slots. If a record type lacks
// an attribute, the processor returns the value in its slot. sfkit does the same, because policies
// may depend on it.

export interface Attribute {
  /** SQL for the value as text, never null. */
  text: string;
  /** Names of the shared values that the SQL uses. */
  from?: readonly string[];
  /** Whether the text may start or end with a quote, which comparisons ignore. */
  mayBeQuoted?: boolean;
  /** Whether the text never contains a comma. */
  hasNoComma?: boolean;
  /** SQL for the value as a 64-bit integer, if the attribute is one; anything else counts as 0. */
  integer?: string;
  /** SQL for whether the value is not empty. */
  exists: string;
  needs?: readonly RowNeed[];
  /** Names of members in its JSON; a path may write them in any case. */
  members?: readonly string[];
  /** The column to display. */
  column?: string;
}

/** Whitespace that the processor trims. */
const blanks =
  '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

/** The text of a column; empty if missing. */
function plain(column: string): string {
  return `coalesce(${column}, '')`;
}

function trimmed(column: string): string {
  return `trim(coalesce(${column}, ''), '${blanks}')`;
}

/** SysFlow files store this for an unknown text; tables have null. */
const unknown = '<NA>';

/** The text of an object that exists only if `isThere` is true. */
function known(column: string, isThere: string, text = column): string {
  return `CASE WHEN ${isThere} THEN coalesce(${text}, '${unknown}') ELSE '' END`;
}

/** Whether a row has a process, a file and a second file. */
const [process, file, newFile] = ['"sf process"', '"sf file"', '"sf newfile"'];

/** Members of the objects in pod_services. */
export const podServiceMembers: readonly string[] = [
  ...['name', 'id', 'namespace', 'portList', 'clusterIP'],
  ...['port', 'targetPort', 'nodePort', 'proto'],
];

/** A list of a pod as the text of JSON; empty without a pod. */
function list(column: string): string {
  return `CASE WHEN pod_name IS NULL THEN '' ELSE coalesce(${column}, '[]') END`;
}

function textual(value: string, more: Partial<Attribute> = {}): Attribute {
  return { text: value, exists: `(${value} <> '')`, ...more };
}

function integral(column: string, more: Partial<Attribute> = {}): Attribute {
  const integer = `coalesce(${column}, 0)`;
  return {
    text: `CAST(${integer} AS VARCHAR)`,
    integer,
    exists: `(${integer} <> 0)`,
    hasNoComma: true,
    ...more,
  };
}

/** An integer that can be displayed but is compared as text. */
function displayOnly(value: string, more: Partial<Attribute>): Attribute {
  const { integer, ...shown } = integral(value, more);
  return shown;
}

function boolean(value: string, more: Partial<Attribute> = {}): Attribute {
  return {
    text: `CASE WHEN ${value} THEN 'true' ELSE 'false' END`,
    exists: `(${value})`,
    hasNoComma: true,
    ...more,
  };
}

/** Process flags compare as integers, and are booleans as text. */
function processFlag(column: string): Attribute {
  const value = `coalesce(${column}, false)`;
  return boolean(value, { integer: `CAST(${value} AS INTEGER)`, column });
}

/** A flag of the parent: a boolean if there is a parent, else the integer 0. */
function parentFlag(value: string, more: Partial<Attribute>): Attribute {
  const text = `CASE WHEN ${value} IS NULL THEN '0' WHEN ${value} THEN 'true' ELSE 'false' END`;
  return boolean(`coalesce(${value}, false)`, { ...more, text });
}

/** The last element of a path: "." for an empty path, "/" for the root. */
function lastElement(path: string): string {
  const short = `rtrim(${path}, '/')`;
  return `CASE WHEN ${path} = '' THEN '.' WHEN ${short} = '' THEN '/' ELSE split_part(${short}, '/', -1) END`;
}

/** Shared values for a path: the path, the path without socket addresses, and its directory. */
function pathParts(name: string, column: string, isThere: string): typeof parts {
  const [path, target, before] = [`"${name}"`, `"${name} target"`, `"${name} before"`];
  return {
    [path]: { sql: known(column, isThere, `trim(${column}, '${blanks}')`), from: [isThere] },
    [target]: { sql: pathAfterLink(path), from: [path] },
    [before]: {
      sql: `left(${target}, length(${target}) - length(split_part(${target}, '/', -1)))`,
      from: [target],
    },
  };
}

/** Longer paths are not normalized; no system has them. */
const maxPath = 8192;

/** Normalizes the part of a path before its last element. */
function directory(before: string): string {
  const isOdd = `(contains(${before}, '//') OR contains(${before}, './') OR ends_with(${before}, '/..')) AND length(${before}) <= ${maxPath}`;
  const step = `lambda done, part: CASE
    WHEN part IN ('', '.') THEN done
    WHEN part <> '..' THEN done || CASE WHEN done IN ('', '/') THEN '' ELSE '/' END || part
    WHEN done = '/' THEN done
    WHEN done = '' OR done = '..' OR ends_with(done, '/..') THEN done || CASE WHEN done = '' THEN '..' ELSE '/..' END
    WHEN starts_with(done, '/') THEN coalesce(nullif(regexp_replace(done, '/[^/]*$', ''), ''), '/')
    WHEN contains(done, '/') THEN regexp_replace(done, '/[^/]*$', '')
    ELSE '' END`;
  const root = `CASE WHEN starts_with(${before}, '/') THEN '/' ELSE '' END`;
  const simple = `coalesce(nullif(rtrim(${before}, '/'), ''), ${root})`;
  const reduced = `list_reduce(list_prepend(${root}, string_split(${before}, '/')), ${step})`;
  return `coalesce(nullif(CASE WHEN ${isOdd} THEN ${reduced} ELSE ${simple} END, ''), '.')`;
}

/** Kernel addresses of two sockets or of a pipe, followed by the path. */
const link = '^\\s*([0-9a-fA-F]{1,16})(->|-\\\\u)([0-9a-fA-F]{1,16})\\s+(\\S+)';

function pathAfterLink(path: string): string {
  return `CASE WHEN regexp_matches(${path}, '${link}') THEN regexp_extract(${path}, '${link}', 4) ELSE ${path} END`;
}

function linkBefore(path: string): string {
  const address = (group: number) =>
    `coalesce(nullif(ltrim(lower(regexp_extract(${path}, '${link}', ${group})), '0'), ''), '0')`;
  return `CASE WHEN regexp_matches(${path}, '${link}') THEN ${address(1)} || regexp_extract(${path}, '${link}', 2) || ${address(3)} ELSE '' END`;
}

/** The four bytes of an address, lowest first; 0 for IPv6, which the processor's format lacks. */
function addressBits(column: string): string {
  const byte = (place: number) =>
    `(TRY_CAST(split_part(${column}, '.', ${place}) AS BIGINT) << ${(place - 1) * 8})`;
  return `CASE WHEN contains(${column}, '.') AND NOT contains(${column}, ':') THEN coalesce(${[1, 2, 3, 4].map(byte).join(' | ')}, 0) ELSE 0 END`;
}

/** Flags of the open call. Connections have their source address in the same slot. */
function openFlagsSql(): string {
  return `CASE type WHEN 'FF' THEN coalesce(file_openflags, 0) WHEN 'NF' THEN ${addressBits('net_sip')} ELSE 0 END`;
}

const openFlags = '"sf openflags"';

function hasOpenFlag(bits: number): string {
  return `(${openFlags} & ${bits}) = ${bits}`;
}

const openFlagNames: readonly [name: string, bits: number][] = [
  ['RDONLY', 1],
  ['WRONLY', 2],
  ['RDWR', 3],
  ['CREAT', 4],
  ['EXCL', 32],
  ['TRUNC', 256],
  ['APPEND', 8],
  ['NONBLOCK', 64],
  ['DSYNC', 16],
  ['DIRECT', 512],
  ['LARGEFILE', 2048],
  ['DIRECTORY', 1024],
  ['CLOEXEC', 4096],
  ['SYNC', 128],
];

const openFlagsText = `CASE WHEN ${openFlags} = 0 THEN 'NONE' ELSE concat_ws(',', ${openFlagNames
  .map(([name, bits]) => `CASE WHEN ${hasOpenFlag(bits)} THEN '${name}' END`)
  .join(', ')}) END`;

const dottedFlags = `CASE WHEN type = 'FF' THEN concat_ws('.', ${[0, 8, 16, 24]
  .map((shift) => `(coalesce(file_openflags, 0) >> ${shift}) & 255`)
  .join(', ')}) ELSE coalesce(net_sip, '0.0.0.0') END`;
const destination = "coalesce(net_dip, '0.0.0.0')";

/** Amounts of files and of connections share a slot, so both are added. */
function amount(column: string, more = ''): Attribute {
  return integral(
    `CASE WHEN type IN ('FF', 'NF') THEN CAST(${column} AS HUGEINT) * 2 ${more} END`,
    { column },
  );
}

/** Slot of the flows' operation counts: file events have the type of their second file there. */
const secondFile = "WHEN file_newoid IS NOT NULL THEN 2 * unicode('f')";

const operations = `concat_ws(',', ${opNames
  .map((name, bit) => {
    const shown =
      name === 'READ_RECV'
        ? read('RECV', 'READ')
        : name === 'WRITE_SEND'
          ? read('SEND', 'WRITE')
          : `'${name}'`;
    return `CASE WHEN (opflags_bitmap >> ${bit}) & 1 = 1 THEN ${shown} END`;
  })
  .join(', ')})`;

function read(ofConnection: string, ofFile: string): string {
  return `CASE type WHEN 'NF' THEN '${ofConnection}' ELSE '${ofFile}' END`;
}

const [exe, args] = ['"sf exe"', '"sf args"'];
const [path, target, before] = ['"sf path"', '"sf path target"', '"sf path before"'];
const [newPath, newTarget, newBefore] = [
  '"sf newpath"',
  '"sf newpath target"',
  '"sf newpath before"',
];
/** A member of the parent as it was when the process was first seen, like in the processor. */
const parent = (member: string) => `proc_parent.${member}`;
const parentExe = known(
  parent('exe'),
  'proc_parent IS NOT NULL',
  `trim(${parent('exe')}, '${blanks}')`,
);
const kept: Pick<Attribute, 'needs'> = { needs: ['ancestors'] };

function ancestors(list: string): Attribute {
  return textual(`coalesce(array_to_string(${list}, ','), '')`, {
    mayBeQuoted: true,
    needs: ['ancestors'],
  });
}

const described: Pick<Attribute, 'needs'> = { needs: ['containers'] };

/** Shared values that several attributes use, by column name. */
export const parts: Readonly<Record<string, SharedValue>> = {
  [process]: { sql: 'proc_pid IS NOT NULL', ofRow: true },
  [file]: { sql: 'file_oid IS NOT NULL', ofRow: true },
  [newFile]: { sql: 'file_newoid IS NOT NULL', ofRow: true },
  '"sf exe"': { sql: known('proc_exe', process, `trim(proc_exe, '${blanks}')`), from: [process] },
  '"sf args"': { sql: trimmed('proc_args') },
  ...pathParts('sf path', 'file_path', file),
  ...pathParts('sf newpath', 'file_newpath', newFile),
  '"sf openflags"': { sql: openFlagsSql() },
};

const sysflow: Readonly<Record<string, Attribute>> = {
  'sf.type': textual('type', { hasNoComma: true, column: 'type' }),
  'sf.opflags': textual(operations, { column: 'opflags' }),
  'sf.ret': integral("CASE WHEN type IN ('PE', 'FE') THEN ret END", { column: 'ret' }),
  'sf.ts': integral('ts_uts', { column: 'ts_uts' }),
  'sf.endts': integral(
    "CASE type WHEN 'KE' THEN ts_uts WHEN 'FF' THEN endts_uts WHEN 'NF' THEN endts_uts END",
    {
      column: 'endts_uts',
    },
  ),

  'sf.proc.pid': integral('proc_pid', { column: 'proc_pid' }),
  'sf.proc.name': textual(lastElement(exe), {
    from: [exe],
    mayBeQuoted: true,
    column: 'proc_name',
  }),
  'sf.proc.exe': textual(exe, { from: [exe], mayBeQuoted: true, column: 'proc_exe' }),
  'sf.proc.args': textual(args, { from: [args], mayBeQuoted: true, column: 'proc_args' }),
  'sf.proc.uid': integral('proc_uid', { column: 'proc_uid' }),
  'sf.proc.user': textual(known('proc_user', process), {
    from: [process],
    mayBeQuoted: true,
    column: 'proc_user',
  }),
  'sf.proc.tid': integral('proc_tid', { column: 'proc_tid' }),
  'sf.proc.gid': integral('proc_gid', { column: 'proc_gid' }),
  'sf.proc.group': textual(known('proc_group', process), {
    from: [process],
    mayBeQuoted: true,
    column: 'proc_group',
  }),
  'sf.proc.createts': integral('proc_createts', { column: 'proc_createts' }),
  'sf.proc.tty': processFlag('proc_tty'),
  'sf.proc.entry': processFlag('proc_entry'),
  'sf.proc.cmdline': textual(`${exe} || ' ' || ${args}`, {
    from: [exe, args],
    mayBeQuoted: true,
    column: 'proc_cmdline',
  }),
  'sf.proc.aname': ancestors(
    `list_transform(proc_aexe, lambda exe: ${lastElement(`coalesce(exe, '${unknown}')`)})`,
  ),
  'sf.proc.aexe': ancestors(`list_transform(proc_aexe, lambda exe: coalesce(exe, '${unknown}'))`),
  'sf.proc.acmdline': ancestors('proc_acmdline'),
  'sf.proc.apid': ancestors('proc_apid'),

  'sf.pproc.pid': integral('pproc_pid', { column: 'pproc_pid' }),
  'sf.pproc.name': textual(
    `CASE WHEN proc_parent IS NOT NULL THEN ${lastElement(parentExe)} ELSE '' END`,
    {
      mayBeQuoted: true,
      column: 'pproc_name',
      ...kept,
    },
  ),
  'sf.pproc.exe': textual(parentExe, { mayBeQuoted: true, column: 'pproc_exe', ...kept }),
  'sf.pproc.args': textual(trimmed(parent('args')), {
    mayBeQuoted: true,
    column: 'pproc_args',
    ...kept,
  }),
  'sf.pproc.uid': displayOnly(parent('uid'), { column: 'pproc_uid', ...kept }),
  'sf.pproc.user': textual(known(parent('"user"'), 'proc_parent IS NOT NULL'), {
    mayBeQuoted: true,
    column: 'pproc_user',
    ...kept,
  }),
  'sf.pproc.gid': displayOnly(parent('gid'), { column: 'pproc_gid', ...kept }),
  'sf.pproc.group': textual(known(parent('"group"'), 'proc_parent IS NOT NULL'), {
    mayBeQuoted: true,
    column: 'pproc_group',
    ...kept,
  }),
  'sf.pproc.createts': integral('pproc_createts', { column: 'pproc_createts' }),
  'sf.pproc.tty': parentFlag(parent('tty'), { column: 'pproc_tty', ...kept }),
  'sf.pproc.entry': parentFlag(parent('entry'), { column: 'pproc_entry', ...kept }),
  'sf.pproc.cmdline': textual(
    `concat_ws(' ', ${parentExe}, nullif(${trimmed(parent('args'))}, ''))`,
    {
      mayBeQuoted: true,
      column: 'pproc_cmdline',
      ...kept,
    },
  ),

  'sf.file.name': textual(lastElement(path), {
    from: [path],
    mayBeQuoted: true,
    column: 'file_name',
  }),
  'sf.file.path': textual(target, { from: [target], mayBeQuoted: true, column: 'file_path' }),
  'sf.file.symlink': textual(linkBefore(path), { from: [path] }),
  'sf.file.oid': textual(plain('file_oid'), { column: 'file_oid' }),
  'sf.file.directory': textual(directory(before), {
    from: [before],
    mayBeQuoted: true,
    column: 'file_directory',
  }),
  'sf.file.newname': textual(lastElement(newPath), {
    from: [newPath],
    mayBeQuoted: true,
    column: 'file_newpath',
  }),
  'sf.file.newpath': textual(newTarget, {
    from: [newTarget],
    mayBeQuoted: true,
    column: 'file_newpath',
  }),
  'sf.file.newsymlink': textual(linkBefore(newPath), { from: [newPath] }),
  'sf.file.newoid': textual(plain('file_newoid'), { column: 'file_newoid' }),
  'sf.file.newdirectory': textual(directory(newBefore), {
    from: [newBefore],
    mayBeQuoted: true,
    column: 'file_newpath',
  }),
  'sf.file.type': textual('coalesce(file_type, chr(0))', { column: 'file_type' }),
  'sf.file.is_open_write': boolean(hasOpenFlag(2), {
    from: [openFlags],
    column: 'file_is_open_write',
  }),
  'sf.file.is_open_read': boolean(hasOpenFlag(1), {
    from: [openFlags],
    column: 'file_is_open_read',
  }),
  'sf.file.fd': integral('file_fd', { column: 'file_fd' }),
  'sf.file.openflags': textual(openFlagsText, { from: [openFlags], column: 'file_openflags' }),

  'sf.net.proto': integral('net_proto', { column: 'net_proto' }),
  'sf.net.sport': integral('net_sport', { column: 'net_sport' }),
  'sf.net.dport': integral('net_dport', { column: 'net_dport' }),
  'sf.net.port': textual("concat_ws(',', coalesce(net_sport, 0), coalesce(net_dport, 0))", {
    column: 'net_dport',
  }),
  'sf.net.sip': textual(dottedFlags, { column: 'net_sip' }),
  'sf.net.dip': textual(destination, { column: 'net_dip' }),
  'sf.net.ip': textual(`${dottedFlags} || ',' || ${destination}`, { column: 'net_dip' }),

  'sf.flow.rbytes': amount('flow_rbytes'),
  'sf.flow.rops': amount(
    'flow_rops',
    'WHEN file_newoid IS NOT NULL THEN CAST(ts_uts AS HUGEINT) * 2',
  ),
  'sf.flow.wbytes': amount('flow_wbytes'),
  'sf.flow.wops': amount('flow_wops', secondFile),

  'sf.container.id': textual(plain('container_id'), { mayBeQuoted: true, column: 'container_id' }),
  'sf.container.name': textual(trimmed('container_name'), {
    mayBeQuoted: true,
    column: 'container_name',
    ...described,
  }),
  'sf.container.imageid': textual(plain('container_imageid'), {
    mayBeQuoted: true,
    column: 'container_imageid',
    ...described,
  }),
  'sf.container.image': textual(trimmed('container_image'), {
    mayBeQuoted: true,
    column: 'container_image',
    ...described,
  }),
  'sf.container.type': textual("replace(coalesce(container_type, 'CT_DOCKER'), 'CT_', '')", {
    column: 'container_type',
  }),
  'sf.container.privileged': integral('CAST(container_privileged AS INTEGER)', {
    column: 'container_privileged',
    ...described,
  }),

  'sf.pod.id': textual(plain('pod_id'), { mayBeQuoted: true, column: 'pod_id' }),
  'sf.pod.name': textual(trimmed('pod_name'), { mayBeQuoted: true, column: 'pod_name' }),
  'sf.pod.nodename': textual(trimmed('pod_nname'), { mayBeQuoted: true, column: 'pod_nname' }),
  'sf.pod.namespace': textual(trimmed('pod_ns'), { mayBeQuoted: true, column: 'pod_ns' }),
  'sf.pod.restartcnt': integral('pod_rstrtcnt', { column: 'pod_rstrtcnt' }),
  'sf.pod.ts': integral('pod_ts', { column: 'pod_ts' }),
  'sf.pod.hostip': textual(list('pod_hostip'), { column: 'pod_hostip' }),
  'sf.pod.internalip': textual(list('pod_internalip'), { column: 'pod_internalip' }),
  'sf.pod.services': textual(list('pod_services'), {
    column: 'pod_services',
    members: podServiceMembers,
  }),

  'sf.ke.action': textual("'K8S_COMPONENT_' || coalesce(k8s_action, 'ADDED')", {
    column: 'k8s_action',
  }),
  'sf.ke.kind': textual("'K8S_' || coalesce(k8s_kind, 'NODES')", { column: 'k8s_kind' }),
  'sf.ke.message': textual(plain('k8s_msg'), { mayBeQuoted: true, column: 'k8s_msg' }),

  'sf.node.id': textual(plain('node_id'), { mayBeQuoted: true, column: 'node_id' }),
  'sf.node.ip': textual("coalesce(node_ip, 'NA')", { mayBeQuoted: true, column: 'node_ip' }),
  'sf.meta.schema': integral('schema', { column: 'schema' }),
  'sf.meta.tracename': textual(lastElement(plain('filename')), {
    mayBeQuoted: true,
    column: 'filename',
  }),
};

/** Falco names and the SysFlow attributes that they stand for. */
const falco: Readonly<Record<string, string>> = {
  'evt.type': 'sf.opflags',
  'evt.rawres': 'sf.type',
  'evt.rawtime': 'sf.ts',
  'evt.is_open_read': 'sf.file.is_open_read',
  'evt.is_open_write': 'sf.file.is_open_write',
  'evt.arg.uid': 'sf.proc.uid',
  'fd.typechar': 'sf.file.type',
  'fd.directory': 'sf.file.directory',
  'fd.name': 'sf.file.name',
  'fd.filename': 'sf.file.name',
  'fd.proto': 'sf.net.proto',
  'fd.lproto': 'sf.net.proto',
  'fd.l4proto': 'sf.net.proto',
  'fd.rproto': 'sf.net.proto',
  'fd.sproto': 'sf.net.proto',
  'fd.cproto': 'sf.net.proto',
  'fd.sport': 'sf.net.sport',
  'fd.dport': 'sf.net.dport',
  'fd.sip': 'sf.net.sip',
  'fd.dip': 'sf.net.dip',
  'fd.ip': 'sf.net.ip',
  'fd.port': 'sf.net.port',
  'fd.num': 'sf.file.fd',
  'user.name': 'sf.proc.user',
  'proc.pid': 'sf.proc.pid',
  'proc.tid': 'sf.proc.tid',
  'proc.gid': 'sf.proc.gid',
  'proc.uid': 'sf.proc.uid',
  'proc.group': 'sf.proc.group',
  'proc.tty': 'sf.pproc.tty',
  'proc.user': 'sf.proc.user',
  'proc.exe': 'sf.proc.exe',
  'proc.name': 'sf.proc.name',
  'proc.args': 'sf.proc.args',
  'proc.createtime': 'sf.pproc.createts',
  'proc.cmdline': 'sf.proc.cmdline',
  'proc.aname': 'sf.proc.aname',
  'proc.apid': 'sf.proc.apid',
  'proc.ppid': 'sf.pproc.pid',
  'proc.pgid': 'sf.pproc.gid',
  'proc.puid': 'sf.pproc.uid',
  'proc.pgroup': 'sf.pproc.group',
  'proc.ptty': 'sf.pproc.tty',
  'proc.puser': 'sf.pproc.user',
  'proc.pexe': 'sf.pproc.exe',
  'proc.pargs': 'sf.pproc.args',
  'proc.pcreatetime': 'sf.pproc.createts',
  'proc.pname': 'sf.pproc.name',
  'proc.pcmdline': 'sf.pproc.cmdline',
  'container.id': 'sf.container.id',
  'container.image.id': 'sf.container.imageid',
  'container.image': 'sf.container.image',
  'container.name': 'sf.container.name',
  'container.type': 'sf.container.type',
  'container.privileged': 'sf.container.privileged',
};

/** The processor sets both directions for every event. */
const direction: Attribute = textual("'>,<'");

/** Attributes of the processor that tables lack. */
const absent = new Set(['sf.proc.oid', 'sf.pproc.oid']);

export const attributeNames: readonly string[] = [
  ...Object.keys(sysflow),
  ...Object.keys(falco),
  'evt.dir',
];

/**
 * The attribute for a name, with its canonical name; undefined for other words, which are plain
 * texts.
 */
export function attributeOf(name: string): (Attribute & { name: string }) | undefined {
  if (name === 'evt.dir') return { name, ...direction };
  const known = Object.hasOwn(falco, name) ? (falco[name] as string) : name;
  return Object.hasOwn(sysflow, known)
    ? { name: known, ...(sysflow[known] as Attribute) }
    : undefined;
}

export function isAbsent(name: string): boolean {
  return absent.has(name);
}
