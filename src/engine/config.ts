import { loadAddon } from './addon.js';
import { tables } from './columns.gen.js';
import { fromNative, SfkitError } from './errors.js';
import { liveLimits } from './live-limits.gen.js';
import type { NativeBound, NativeConfig, NativeLiveConfig, NativeMatching, NativeRules } from './native.js';
import { nearest } from './nearest.js';

export const fileReadModes = ['all', 'none', 'select'] as const;
export type FileReadMode = (typeof fileReadModes)[number];

/** flow: what was done with each file; consumer: only that it was opened; no-files: nothing. */
export const fileModes = ['flow', 'consumer', 'no-files'] as const;
export type FileMode = (typeof fileModes)[number];

export const compatModes = ['sysflow-0.7'] as const;
export type CompatMode = (typeof compatModes)[number];

/** How records are made of a capture: the settings of the SysFlow collector. */
export interface CollectorOptions {
  /** Name of the exporter in the SysFlow header. Default: the host name in the capture. */
  exporter?: string | undefined;
  /** Address of the node in the SysFlow header. Default: empty. */
  nodeIp?: string | undefined;
  /** File name in the SysFlow header. Default: empty. */
  filename?: string | undefined;
  /** Which flows of files that were only read are kept. Default: select. */
  fileReadMode?: FileReadMode | undefined;
  /** Leave out flows on descriptors that are no files, like pipes. Default: true. */
  fileOnly?: boolean | undefined;
  /** Count threads in process flows rather than one event each. Default: true. */
  processFlow?: boolean | undefined;
  /** Only records of processes in containers. Default: false. */
  containersOnly?: boolean | undefined;
  /** Make the records that this version of the collector made. */
  compat?: CompatMode | undefined;
  /** Only what events do that pass this Falco filter; the state follows all of them. Default: all. */
  filter?: string | undefined;
}

export interface SessionConfig extends CollectorOptions {
  /** Path of a capture or a SysFlow file; of a live capture what it is called in messages. */
  input: string;
  /** What the input must be. Default: auto, whatever it is. */
  kind?: NativeConfig['kind'] | undefined;
  /** avro: bytes of a .sf file; columns: column batches; lines: events as text; recovered: bytes of a capture; info: only what it holds; none: only the summary. */
  output: NativeConfig['output'];
  /** What is recorded of the running kernel; for kind live. */
  live?: LiveConfig | undefined;
  /** Count who does most, for takeBusiest(). Default: false. */
  tallies?: boolean | undefined;
  /** Of datums: also the bytes of .sf files. Default: false. */
  withFiles?: boolean | undefined;
  /** How files are followed. Default: flow. */
  mode?: FileMode | undefined;
  /** Seconds of event time after which everything begins anew. Default: 0, never. */
  rotateInterval?: number | undefined;
  /** Tables wanted of 'columns'. Default: all events, flows and entities. */
  tables?: readonly string[] | undefined;
  /** Rows of a full batch. Default: 8192. */
  batchRows?: number | undefined;
  /** Of lines: text or one JSON object each; count makes none. Default: text. */
  lineFormat?: NativeConfig['lineFormat'] | undefined;
  /** Of lines: a template with %field names. Default: what analysts know. */
  line?: string | undefined;
  /** Of findings: rules that compile. */
  rules?: (NativeRules & NativeMatching) | undefined;
  /** Of lines: the first and the last event. Default: those of the capture. */
  from?: NativeBound | undefined;
  to?: NativeBound | undefined;
}

/** Bytes that the path of a unix socket may have (linux/un.h). */
export const longestSocketPath = 107;

/** What is recorded of the running kernel, and how. */
export interface LiveConfig {
  /** Also calls that change no state and make no records. Default: false. */
  allSyscalls?: boolean | undefined;
  /** Bytes of data kept of each read and write, at most 4096. Default: 0. */
  snaplen?: number | undefined;
  /** 1 of so many of the calls that change no state is kept, at most 128. Default: 1, all. */
  samplingRatio?: number | undefined;
  /** Bytes of each buffer between kernel and engine: a power of two from 4096 to 2^28. Default: 8388608. */
  ringBytes?: number | undefined;
  /** Processors that share a buffer; 0: one for all. Default: 1. */
  cpusPerRing?: number | undefined;
  /** Use raw tracepoints even where those with BTF can be used. Default: false. */
  rawTracepoints?: boolean | undefined;
  /** Capture file to write at the same time. Default: none. */
  recordPath?: string | undefined;
  /** Compress it. Default: false. */
  recordGzip?: boolean | undefined;
  /** Give up, in the whole process, the rights that are not needed any more once the capture goes on. Default: false. */
  dropsPrivileges?: boolean | undefined;
  /** Ends after so many events. Default: 0, never. */
  maxEvents?: number | undefined;
}

export const maxBatchRows = 122_880;

/** What the addon is given: every default filled in, every value checked. */
export function toNativeConfig(config: SessionConfig): NativeConfig {
  for (const key of Object.keys(config)) {
    if (!knownKeys.has(key)) refuse(`unknown option '${key}'${suggestion(key, [...knownKeys])}`);
  }
  return {
    input: text('input', config.input, undefined),
    kind: oneOf('kind', config.kind, ['auto', 'capture', 'sysflow', 'live'] as const, 'auto'),
    output: oneOf(
      'output',
      config.output,
      ['avro', 'columns', 'datums', 'files', 'lines', 'recovered', 'info', 'findings', 'none'] as const,
      undefined,
    ),
    tables: tableNames(config.tables),
    batchRows: rowCount(config.batchRows),
    exporter: text('exporter', config.exporter, ''),
    nodeIp: text('nodeIp', config.nodeIp, ''),
    filename: text('filename', config.filename, ''),
    fileReadMode: fileReadModes.indexOf(oneOf('fileReadMode', config.fileReadMode, fileReadModes, 'select')) as
      | 0
      | 1
      | 2,
    fileOnly: flag('fileOnly', config.fileOnly, true),
    processFlow: flag('processFlow', config.processFlow, true),
    containersOnly: flag('containersOnly', config.containersOnly, false),
    compat: oneOf('compat', config.compat, ['', ...compatModes] as const, ''),
    filter: filterText(config.filter),
    withFiles: flag('withFiles', config.withFiles, false),
    mode: fileModes.indexOf(oneOf('mode', config.mode, fileModes, 'flow')) as 0 | 1 | 2,
    rotateInterval: seconds('rotateInterval', config.rotateInterval ?? 0),
    lineFormat: oneOf('lineFormat', config.lineFormat, ['text', 'json', 'count'] as const, 'text'),
    line: text('line', config.line, ''),
    from: config.from ?? null,
    to: config.to ?? null,
    live: liveConfig(config.live ?? {}),
    tallies: flag('tallies', config.tallies, false),
    rules: config.rules ?? null,
  };
}

const liveKeys = [
  'allSyscalls',
  'snaplen',
  'samplingRatio',
  'ringBytes',
  'cpusPerRing',
  'rawTracepoints',
  'recordPath',
  'recordGzip',
  'dropsPrivileges',
  'maxEvents',
] as const satisfies (keyof LiveConfig)[];

/** The same for the live part alone. */
export function liveConfig(config: LiveConfig): NativeLiveConfig {
  for (const key of Object.keys(config)) {
    if (!(liveKeys as readonly string[]).includes(key))
      refuse(`unknown option 'live.${key}'${suggestion(key, liveKeys)}`);
  }
  const within = (key: keyof typeof liveLimits) => {
    const { min, max, default: usual } = liveLimits[key];
    return whole(`live.${key}`, config[key] ?? usual, min, max);
  };
  const ringBytes = within('ringBytes');
  if (!Number.isInteger(Math.log2(ringBytes))) refuse("option 'live.ringBytes' must be a power of two");
  return {
    allSyscalls: flag('live.allSyscalls', config.allSyscalls, false),
    snaplen: within('snaplen'),
    samplingRatio: within('samplingRatio'),
    ringBytes,
    cpusPerRing: within('cpusPerRing'),
    rawTracepoints: flag('live.rawTracepoints', config.rawTracepoints, false),
    recordPath: text('live.recordPath', config.recordPath, ''),
    recordGzip: flag('live.recordGzip', config.recordGzip, false),
    dropsPrivileges: flag('live.dropsPrivileges', config.dropsPrivileges, false),
    maxEvents: whole('live.maxEvents', config.maxEvents ?? 0, 0, Number.MAX_SAFE_INTEGER),
  };
}

const knownKeys = new Set<string>([
  'input',
  'kind',
  'output',
  'withFiles',
  'mode',
  'rotateInterval',
  'tables',
  'batchRows',
  'exporter',
  'nodeIp',
  'filename',
  'fileReadMode',
  'fileOnly',
  'processFlow',
  'containersOnly',
  'compat',
  'filter',
  'lineFormat',
  'line',
  'from',
  'to',
  'live',
  'tallies',
  'rules',
] satisfies (keyof SessionConfig)[]);

function refuse(message: string): never {
  throw new SfkitError('INVALID_ARGUMENT', message);
}

function suggestion(word: string, known: readonly string[]): string {
  const candidate = nearest(word, known);
  return candidate === undefined ? '' : `; did you mean '${candidate}'?`;
}

function text(name: string, value: unknown, fallback: string | undefined): string {
  const chosen = value ?? fallback;
  if (typeof chosen !== 'string') refuse(`option '${name}' must be a string`);
  if (chosen.includes('\0')) refuse(`option '${name}' must not hold a NUL character`);
  return chosen;
}

function filterText(value: unknown): string {
  const filter = text('filter', value, '');
  if (filter === '') return filter;
  try {
    loadAddon().checkFilter(filter);
  } catch (error) {
    throw fromNative(error);
  }
  return filter;
}

function flag(name: string, value: unknown, fallback: boolean): boolean {
  const chosen = value ?? fallback;
  if (typeof chosen !== 'boolean') refuse(`option '${name}' must be true or false`);
  return chosen;
}

function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[], fallback: T | undefined): T {
  const chosen = value ?? fallback;
  const found = allowed.find((candidate) => candidate === chosen);
  if (found === undefined) {
    const list = allowed.filter((candidate) => candidate !== '').join(', ');
    refuse(`option '${name}' must be one of ${list}${suggestion(String(chosen), allowed)}`);
  }
  return found;
}

function tableNames(value: readonly string[] | undefined): string[] {
  const known = tables.map((table) => table.name as string);
  if (value === undefined) return tables.filter((table) => table.kind !== 'all').map((table) => table.name);
  for (const name of value) {
    if (!known.includes(name)) refuse(`unknown table '${name}'${suggestion(name, known)}`);
  }
  return [...value];
}

function seconds(name: string, value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 2 ** 30) {
    refuse(`option '${name}' must be a whole number of seconds from 0 to ${2 ** 30}`);
  }
  return value as number;
}

function whole(name: string, value: unknown, least: number, most: number): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
    refuse(`option '${name}' must be a whole number from ${least} to ${most}`);
  return value as number;
}

function rowCount(value: number | undefined): number {
  const rows = value ?? 8192;
  if (!Number.isInteger(rows) || rows < 1 || rows > maxBatchRows) {
    refuse(`option 'batchRows' must be a whole number from 1 to ${maxBatchRows}`);
  }
  return rows;
}
