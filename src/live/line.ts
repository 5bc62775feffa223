import { shortened } from '../draw/width.js';
import type { ColumnBatch } from '../engine/batch.js';
import { escapeForTerminal } from '../engine/escape.js';
import { isoTime } from '../export/values.js';

/** How a line looks. */
export interface LineOptions {
  /** Width of the terminal; longer lines are cut. */
  columns: number;
  color: boolean;
  /** Add the environment of the process. */
  env: boolean;
}

const reset = '\x1b[0m';
const faint = '\x1b[2m';
/** One color for each kind of record. */
const colors: Readonly<Record<string, string>> = {
  PE: '\x1b[33m',
  FE: '\x1b[36m',
  FF: '\x1b[34m',
  NF: '\x1b[35m',
  PF: '\x1b[32m',
};

/**
 * One short line for each event or flow: time, type, process, operations, what it is about, result
 * or bytes.
 */
export function* recordLines(batch: ColumnBatch, options: LineOptions): Generator<string> {
  const get = (row: number, name: string) => batch.column(name).get(row);
  const text = (row: number, name: string) => String(get(row, name) ?? '');
  for (let row = 0; row < batch.rows; row++) {
    const time = get(row, 'ts');
    const type = text(row, 'type');
    const operations = (get(row, 'opflags') ?? []) as readonly string[];
    const clock = typeof time === 'bigint' ? isoTime(time).slice(11, 23) : '--:--:--.---';
    const process = `${text(row, 'proc_name') || '?'}[${text(row, 'proc_pid')}]`;
    const parts = [process, operations.join(','), target(row, type, text), result(row, type, get)];
    const container = text(row, 'container_id');
    if (container !== '') parts.push(`@${text(row, 'container_name') || container}`);
    if (options.env) parts.push(text(row, 'proc_env'));
    // Captured text is escaped before colors are added.
    const plain = parts
      .filter((part) => part !== '')
      .map(escapeForTerminal)
      .join(' ');
    const room = Math.max(options.columns - clock.length - type.length - 2, 1);
    const shown = options.env ? plain : shortened(plain, room);
    yield options.color
      ? `${faint}${clock}${reset} ${colors[type] ?? ''}${type}${reset} ${shown}\n`
      : `${clock} ${type} ${shown}\n`;
  }
}

type Text = (row: number, name: string) => string;

function target(row: number, type: string, text: Text): string {
  if (type === 'NF') {
    const end = (address: string, port: string) => {
      const host = text(row, address);
      return `${host.includes(':') ? `[${host}]` : host}:${text(row, port)}`;
    };
    return `${end('net_sip', 'net_sport')} -> ${end('net_dip', 'net_dport')}`;
  }
  if (type === 'PE') return text(row, 'proc_cmdline');
  const renamed = text(row, 'file_newpath');
  return renamed === '' ? text(row, 'file_path') : `${text(row, 'file_path')} -> ${renamed}`;
}

function result(row: number, type: string, get: (row: number, name: string) => unknown): string {
  if (type === 'NF' || type === 'FF') {
    const bytes = (name: string) => String(get(row, name) ?? 0);
    return `read ${bytes('flow_rbytes')} written ${bytes('flow_wbytes')}`;
  }
  const ret = get(row, 'ret');
  return typeof ret === 'number' && ret < 0 ? `= ${ret}` : '';
}
