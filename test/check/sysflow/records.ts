import { posix } from 'node:path';
import { opNames } from '../../../src/engine/columns.gen.js';
import type { NaiveRecord } from './naive.js';

// Random rows of every record type that rules evaluate, and the values of the processor's
// attributes for them.

export const tableNames = {
  PE: 'process_event',
  FE: 'file_event',
  NF: 'network_flow',
  FF: 'file_flow',
  KE: 'k8s_event',
} as const;

export type RecordKind = keyof typeof tableNames;

type Cell = string | number | boolean | null;
export type Columns = Readonly<Record<string, Cell>>;

interface Random {
  next(below: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

const pieces = [
  ...[
    'a',
    'A',
    'b',
    'sh',
    '/bin/',
    'bash',
    ',',
    ',,',
    ' ',
    "'",
    '"',
    '%',
    '_',
    '\\',
    ';--',
    '1',
    '22',
    '0',
    'ä',
    '.',
  ],
  ...['/', '//', '/./', '/../', '..', '\t'],
];

export function randomText({ next, pick }: Random, most: number): string {
  return Array.from({ length: next(most) }, () => pick(pieces)).join('');
}

/** The columns of a row; those that its table lacks are ignored. */
export function randomColumns(random: Random, kind: RecordKind, idx: number): Columns {
  const { next, pick } = random;
  const text = (most: number) => (next(6) === 0 ? null : randomText(random, most));
  const number = (below: number) => (next(6) === 0 ? null : next(below));
  const flag = () => pick([true, false, null]);
  const address = () => pick(['10.0.0.1', '127.0.0.1', '3.2.1.255', '::1', 'fe80::1', null]);
  const hasProcess = next(8) !== 0;
  const hasParent = next(3) !== 0;
  const hasFile = next(4) !== 0;
  const hasSecond = next(3) === 0;
  const ofProcess = {
    ...{
      proc_pid: next(4),
      proc_tid: next(4),
      proc_createts: next(3),
      proc_uid: number(3),
      proc_gid: number(30),
    },
    ...{ proc_user: text(3), proc_group: text(3), proc_exe: text(4), proc_args: text(6) },
    ...{ proc_tty: flag(), proc_entry: flag() },
  };
  const ofParent = {
    ...{ pproc_pid: next(3), pproc_createts: next(3), pproc_uid: number(3), pproc_gid: number(3) },
    ...{ pproc_user: text(3), pproc_group: text(3), pproc_exe: text(4), pproc_args: text(4) },
    ...{ pproc_tty: flag(), pproc_entry: flag() },
  };
  return {
    ...{
      idx,
      type: kind,
      ts_uts: 1000 + idx,
      endts_uts: 2000 + idx,
      filename: 'f',
      node_id: 'n',
      schema: 5,
    },
    ...{
      opflags_bitmap: next(2 ** opNames.length),
      ret: pick([0, 1, -2, 22]),
      node_ip: pick(['10.0.0.9', null]),
    },
    ...(hasProcess && ofProcess),
    ...(hasProcess && hasParent && ofParent),
    ...(hasFile && {
      file_oid: pick(['00', 'a1']),
      file_path: text(5),
      file_type: pick(['f', 'd', null]),
    }),
    ...(hasSecond && { file_newoid: pick(['00', 'b2']), file_newpath: text(5) }),
    ...{ file_fd: number(3), file_openflags: number(2 ** 13) },
    ...{
      net_proto: pick([6, 17]),
      net_sip: address(),
      net_dip: address(),
      net_sport: number(3),
      net_dport: number(99),
    },
    ...{
      flow_rbytes: number(40),
      flow_rops: number(4),
      flow_wbytes: number(40),
      flow_wops: number(4),
    },
    ...{
      container_id: text(3),
      container_name: text(3),
      container_imageid: text(2),
      container_image: text(3),
    },
    ...{ container_type: pick(['CT_DOCKER', 'CT_CRIO', null]), container_privileged: flag() },
    ...{
      pod_id: text(2),
      pod_name: text(2),
      pod_nname: text(2),
      pod_ns: text(2),
      pod_rstrtcnt: number(3),
    },
    ...{ k8s_action: pick(['ADDED', 'DELETED', null]), k8s_kind: pick(['PODS', 'NODES', null]) },
    k8s_msg: pick(['{"items":[{"namespace":"a,b"}]}', '{"items":[]}', '{"items":', '', null]),
  };
}

/** The columns of a table; null for those that the row lacks. */
export function attributesOf(columns: Columns): NaiveRecord {
  const kind = columns.type as RecordKind;
  const isFlow = kind === 'FF' || kind === 'NF';
  const has = (name: string) => columns[name] !== undefined && columns[name] !== null;
  const text = (name: string) => (has(name) ? String(columns[name]) : '');
  const integer = (name: string) => BigInt(Number(columns[name] ?? 0));
  const known = (name: string, isThere: boolean) =>
    !isThere ? '' : has(name) ? text(name) : '<NA>';
  const [isProcess, isParent] = [has('proc_pid'), has('pproc_pid')];
  const exe = known('proc_exe', isProcess).trim();
  const parentExe = known('pproc_exe', isParent).trim();
  const [args, parentArgs] = [text('proc_args').trim(), text('pproc_args').trim()];
  const path = known('file_path', has('file_oid')).trim();
  const newPath = known('file_newpath', has('file_newoid')).trim();
  const flags =
    kind === 'FF'
      ? Number(columns.file_openflags ?? 0)
      : kind === 'NF'
        ? addressBits(text('net_sip'))
        : 0;
  const openFlags = kind === 'FF' ? Number(columns.file_openflags ?? 0) : 0;
  const sip =
    kind === 'FF'
      ? [0, 8, 16, 24].map((shift) => (openFlags >>> shift) & 255).join('.')
      : text('net_sip') || '0.0.0.0';
  const dip = text('net_dip') || '0.0.0.0';
  const amount = (name: string, otherwise = 0n) => (isFlow ? 2n * integer(name) : otherwise);
  const ancestors = (own: string, parent: string) =>
    isProcess ? [own, ...(isParent ? [parent] : [])].join(',') : '';
  const command = (prefix: string) =>
    [...(has(`${prefix}_exe`) ? [text(`${prefix}_exe`)] : []), text(`${prefix}_args`)]
      .filter((part, index) => index === 0 || part !== '')
      .join(' ');
  const orUnknown = (name: string) => (has(name) ? text(name) : '<NA>');
  // Without a parent the flag is the number 0.
  const parentFlag = (name: string) => (has(name) && isParent ? columns[name] === true : 0n);
  return {
    ...{ 'sf.type': kind, 'sf.opflags': operations(kind, Number(columns.opflags_bitmap ?? 0)) },
    ...{
      'sf.ret': kind === 'PE' || kind === 'FE' ? integer('ret') : 0n,
      'sf.ts': integer('ts_uts'),
    },
    'sf.endts': kind === 'KE' ? integer('ts_uts') : isFlow ? integer('endts_uts') : 0n,
    ...{
      'sf.proc.pid': integer('proc_pid'),
      'sf.proc.tid': integer('proc_tid'),
      'sf.proc.exe': exe,
    },
    ...{
      'sf.proc.name': lastElement(exe),
      'sf.proc.args': args,
      'sf.proc.cmdline': `${exe} ${args}`,
    },
    ...{ 'sf.proc.uid': integer('proc_uid'), 'sf.proc.gid': integer('proc_gid') },
    ...{
      'sf.proc.user': known('proc_user', isProcess),
      'sf.proc.group': known('proc_group', isProcess),
    },
    ...{ 'sf.proc.createts': integer('proc_createts'), 'sf.proc.tty': columns.proc_tty === true },
    'sf.proc.entry': columns.proc_entry === true,
    'sf.proc.aname': ancestors(
      lastElement(orUnknown('proc_exe')),
      lastElement(orUnknown('pproc_exe')),
    ),
    'sf.proc.aexe': ancestors(orUnknown('proc_exe'), orUnknown('pproc_exe')),
    'sf.proc.acmdline': ancestors(command('proc'), command('pproc')),
    'sf.proc.apid': ancestors(text('proc_pid'), text('pproc_pid')),
    ...{ 'sf.pproc.pid': integer('pproc_pid'), 'sf.pproc.createts': integer('pproc_createts') },
    ...{ 'sf.pproc.exe': parentExe, 'sf.pproc.name': isParent ? lastElement(parentExe) : '' },
    ...{ 'sf.pproc.args': parentArgs, 'sf.pproc.user': known('pproc_user', isParent) },
    'sf.pproc.group': known('pproc_group', isParent),
    'sf.pproc.cmdline': parentArgs === '' ? parentExe : `${parentExe} ${parentArgs}`,
    ...{ 'sf.pproc.tty': parentFlag('pproc_tty'), 'sf.pproc.entry': parentFlag('pproc_entry') },
    ...{
      'sf.file.path': path,
      'sf.file.name': lastElement(path),
      'sf.file.directory': directory(path),
    },
    ...{ 'sf.file.newpath': newPath, 'sf.file.newname': lastElement(newPath) },
    ...{ 'sf.file.newdirectory': directory(newPath), 'sf.file.oid': text('file_oid') },
    ...{
      'sf.file.newoid': text('file_newoid'),
      'sf.file.type': has('file_type') ? text('file_type') : '\0',
    },
    ...{ 'sf.file.is_open_write': (flags & 2) === 2, 'sf.file.is_open_read': (flags & 1) === 1 },
    ...{ 'sf.file.fd': integer('file_fd'), 'sf.file.symlink': '' },
    ...{ 'sf.net.proto': integer('net_proto'), 'sf.net.sport': integer('net_sport') },
    ...{
      'sf.net.dport': integer('net_dport'),
      'sf.net.port': `${integer('net_sport')},${integer('net_dport')}`,
    },
    ...{ 'sf.net.sip': sip, 'sf.net.dip': dip, 'sf.net.ip': `${sip},${dip}` },
    ...{ 'sf.flow.rbytes': amount('flow_rbytes'), 'sf.flow.wbytes': amount('flow_wbytes') },
    'sf.flow.rops': amount('flow_rops', has('file_newoid') ? 2n * integer('ts_uts') : 0n),
    'sf.flow.wops': amount('flow_wops', has('file_newoid') ? 2n * BigInt('f'.charCodeAt(0)) : 0n),
    ...{
      'sf.container.id': text('container_id'),
      'sf.container.name': text('container_name').trim(),
    },
    'sf.container.image': text('container_image').trim(),
    'sf.container.type': (text('container_type') || 'CT_DOCKER').replace('CT_', ''),
    ...{
      'sf.pod.id': text('pod_id'),
      'sf.pod.name': text('pod_name').trim(),
      'sf.pod.restartcnt': integer('pod_rstrtcnt'),
    },
    'sf.ke.action': `K8S_COMPONENT_${text('k8s_action') || 'ADDED'}`,
    ...{ 'sf.ke.kind': `K8S_${text('k8s_kind') || 'NODES'}`, 'sf.ke.message': text('k8s_msg') },
    ...{
      'sf.node.id': text('node_id'),
      'sf.node.ip': text('node_ip') || 'NA',
      'sf.meta.schema': integer('schema'),
    },
  };
}

function operations(kind: RecordKind, bits: number): string {
  const names: Record<string, string> =
    kind === 'NF'
      ? { READ_RECV: 'RECV', WRITE_SEND: 'SEND' }
      : { READ_RECV: 'READ', WRITE_SEND: 'WRITE' };
  return opNames
    .filter((_, bit) => (bits >> bit) & 1)
    .map((name) => names[name] ?? name)
    .join(',');
}

function addressBits(address: string): number {
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(address)) return 0;
  return (
    address.split('.').reduce((bits, byte, place) => bits + Number(byte) * 256 ** place, 0) | 0
  );
}

function lastElement(path: string): string {
  if (path === '') return '.';
  return path.split('/').findLast((part) => part !== '') ?? '/';
}

/** The text before the last slash, normalized. */
function directory(path: string): string {
  const before = posix.normalize(path.slice(0, path.lastIndexOf('/') + 1));
  return before === '/' ? '/' : before.replace(/\/$/, '');
}
