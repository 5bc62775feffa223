import type { DuckDBListValue, DuckDBStructValue, DuckDBValue } from '@duckdb/node-api';
import { tableColumns } from '../../engine/columns.gen.js';
import type {
  FieldValue,
  Finding,
  FoundConnection,
  FoundContainer,
  FoundFile,
  FoundProcess,
  ProcessNames,
} from '../finding.js';
import type { FoundRow, RowRule } from './row-rule.js';

// Converts a row to a finding.

/** Columns of a finding's row: all except environments, which are long and may contain secrets. */
export const foundColumns: readonly string[] = tableColumns.sysflow
  .map(({ name }) => name)
  .filter(
    (name) => name !== 'proc_env' && name !== 'pproc_env' && name !== 'ts' && name !== 'endts',
  );

/** Maximum length of a text, and of a text about an ancestor. */
const maxText = 16 << 10;
const maxAncestorText = 1 << 10;

/** Converts a DuckDB value to a value of a finding. */
export function foundValue(value: DuckDBValue | undefined): FieldValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return truncated(value, maxText);
  if (isList(value)) return value.items.map((item) => foundValue(item) as string);
  return truncated(String(value), maxText);
}

function isList(value: DuckDBValue): value is DuckDBListValue {
  return typeof value === 'object' && value !== null && 'items' in value;
}

function truncated(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const end = /[\ud800-\udbff]/.test(text[maxLength - 1] as string) ? maxLength - 1 : maxLength;
  return `${text.slice(0, end)}…`;
}

/** The input and the occurrences of a finding. */
export interface Occurrence {
  capture: string;
  count: number;
  lastTs: string;
  ancestors: DuckDBValue;
}

export function findingOf(
  { rule, fields = {}, output = describe }: RowRule,
  row: FoundRow,
  { capture, count, lastTs, ancestors }: Occurrence,
): Finding {
  const { name, id, language, level, tags, author, location } = rule;
  const ts = text(row.ts_uts) ?? '0';
  const tid = number(row.proc_tid) ?? number(row.proc_pid);
  return {
    rule: name,
    ...defined('ruleId', id),
    language,
    level,
    tags,
    ...defined('author', author),
    location,
    capture,
    ts,
    ...(count > 1 && { lastTs }),
    count,
    ...defined('pid', number(row.proc_pid)),
    tid: tid ?? 0,
    eventType: eventType(row),
    eventNumber: number(row.idx) ?? 0,
    output: truncated(output(row), maxText),
    fields: typeof fields === 'function' ? fields(row) : columnsOf(fields, row),
    ...defined('process', processOf(row, ancestors)),
    ...defined('file', fileOf(row)),
    ...defined('connection', connectionOf(row)),
    ...defined('container', containerOf(row)),
  };
}

function columnsOf(
  fields: Readonly<Record<string, string>>,
  row: FoundRow,
): Record<string, FieldValue> {
  return Object.fromEntries(
    Object.entries(fields).map(([shown, column]) => [shown, row[column] ?? null]),
  );
}

/** Record type and operations: "PE EXEC", "FF OPEN|WRITE_SEND|CLOSE". */
function eventType({ type, opflags }: FoundRow): string {
  const operations = Array.isArray(opflags) ? opflags.join('|') : '';
  return [type, operations].filter(Boolean).join(' ');
}

/** Describes a record in one line. */
export function describe(row: FoundRow): string {
  const what = [
    Array.isArray(row.opflags) ? row.opflags.join('|') : text(row.k8s_action),
    text(row.k8s_kind),
    text(row.evt_args),
    text(row.file_path),
    text(row.file_newpath) && `to ${text(row.file_newpath)}`,
    text(row.net_dip) &&
      `${endpoint(row.net_sip, row.net_sport)} to ${endpoint(row.net_dip, row.net_dport)}`,
  ];
  const who = [
    text(row.proc_cmdline) && `by ${text(row.proc_cmdline)}`,
    text(row.proc_user) && `(user ${text(row.proc_user)})`,
    text(row.pproc_name) && `under ${text(row.pproc_name)}`,
    text(row.container_id) && `in ${text(row.container_name) ?? text(row.container_id)}`,
  ];
  return [...what, ...who].filter(Boolean).join(' ');
}

function endpoint(ip: FieldValue | undefined, port: FieldValue | undefined): string {
  return String(ip).includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function processOf(row: FoundRow, ancestors: DuckDBValue): FoundProcess | undefined {
  const pid = number(row.proc_pid);
  if (pid === undefined) return undefined;
  return {
    ...names(pid, row.proc_name, row.proc_exe, row.proc_cmdline),
    ...defined('cwd', text(row.proc_cwd)),
    ...defined('uid', number(row.proc_uid)),
    ...defined('user', text(row.proc_user)),
    ancestors: ancestorsOf(row, ancestors),
  };
}

function ancestorsOf(row: FoundRow, others: DuckDBValue): ProcessNames[] {
  const pid = number(row.pproc_pid);
  if (pid === undefined) return [];
  const parent = names(pid, row.pproc_name, row.pproc_exe, row.pproc_cmdline, maxAncestorText);
  const above = others !== null && isList(others) ? (others.items as DuckDBStructValue[]) : [];
  return [
    parent,
    ...above.map(({ entries }) =>
      names(
        Number(entries.pid),
        foundValue(entries.name),
        foundValue(entries.exe),
        foundValue(entries.line),
        maxAncestorText,
      ),
    ),
  ];
}

function names(
  pid: number,
  name: FieldValue | undefined,
  exepath: FieldValue | undefined,
  cmdline: FieldValue | undefined,
  maxLength = maxText,
): ProcessNames {
  const short = (value: FieldValue | undefined) =>
    text(value) && truncated(text(value) as string, maxLength);
  return {
    pid,
    ...defined('name', short(name)),
    ...defined('exepath', short(exepath)),
    ...defined('cmdline', short(cmdline)?.trimEnd()),
  };
}

function fileOf(row: FoundRow): FoundFile | undefined {
  const path = text(row.file_path);
  const target = text(row.file_newpath);
  if (path === undefined && target === undefined) return undefined;
  return { ...defined('path', path), ...defined('target', target) };
}

const protocols: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 254: 'raw' };

function connectionOf(row: FoundRow): FoundConnection | undefined {
  const [sip, dip] = [text(row.net_sip), text(row.net_dip)];
  if (sip === undefined || dip === undefined) return undefined;
  return {
    protocol: protocols[number(row.net_proto) ?? -1] ?? 'ip',
    client: { ip: sip, port: number(row.net_sport) ?? 0 },
    server: { ip: dip, port: number(row.net_dport) ?? 0 },
  };
}

function containerOf(row: FoundRow): FoundContainer | undefined {
  const container = {
    ...defined('id', text(row.container_id)),
    ...defined('name', text(row.container_name)),
    ...defined('image', text(row.container_image)),
    ...defined('type', text(row.container_type)?.replace(/^CT_/, '').toLowerCase()),
    ...defined('namespace', text(row.pod_ns)),
    ...defined('pod', text(row.pod_name)),
  };
  return container.id === undefined && container.pod === undefined ? undefined : container;
}

function text(value: FieldValue | undefined): string | undefined {
  return value === null || value === undefined || value === '' ? undefined : String(value);
}

function number(value: FieldValue | undefined): number | undefined {
  return value === null || value === undefined || value === '' ? undefined : Number(value);
}

function defined<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { [key in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [key in Key]?: Value });
}
