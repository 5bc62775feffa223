import { loadAddon } from './addon.js';
import { captureTables, tableColumns, tables } from './columns.gen.js';
import { fromNative, SfkitError } from './errors.js';
import { liveLimits } from './live-limits.gen.js';
import type {
  NativeBound,
  NativeConfig,
  NativeLiveConfig,
  NativeMatching,
  NativeMoment,
  NativeRules,
} from './native.js';
import { nearest } from './nearest.js';

/** Variables of an environment, such as process.env. */
export type Environment = Readonly<Record<string, string | undefined>>;

export const fileReadModes = ['all', 'none', 'select'] as const;
export type FileReadMode = (typeof fileReadModes)[number];

/** flow: activity on each file; consumer: only opens; no-files: nothing. */
export const fileModes = ['flow', 'consumer', 'no-files'] as const;
export type FileMode = (typeof fileModes)[number];

export const compatModes = ['sysflow-0.7'] as const;
export type CompatMode = (typeof compatModes)[number];

/** How blocks of SysFlow files are compressed. */
export const codecs = ['deflate', 'null'] as const;
export type Codec = (typeof codecs)[number];

/** How sfkit makes records from a capture: the settings of the SysFlow collector. */
export interface CollectorOptions {
  /** Name of the exporter in the SysFlow header. Default: the host name in the capture. */
  exporter?: string | undefined;
  /** Address of the node in the SysFlow header. Default: empty. */
  nodeIp?: string | undefined;
  /** File name in the SysFlow header. Default: empty. */
  filename?: string | undefined;
  /** Which flows of read-only files to keep. Default: select. */
  fileReadMode?: FileReadMode | undefined;
  /** Leave out flows on descriptors that are not files, such as pipes. Default: true. */
  fileOnly?: boolean | undefined;
  /** Count threads in process flows instead of writing one event each. Default: true. */
  processFlow?: boolean | undefined;
  /** What to record of files: flows, only opens (consumer), or nothing. Default: flow. */
  mode?: FileMode | undefined;
  /** Write only records of processes in containers. Default: false. */
  containersOnly?: boolean | undefined;
  /**
   * Bytes of memory for the engine, at least 32,000,000, in addition to those of the process itself.
   * Beyond it, the engine ends flows early and forgets what was idle longest, and counts that.
   * Default: no limit.
   */
  maxMemory?: number | undefined;
  /**
   * Make the same records as this version of the collector, including its known bugs. Default: off.
   */
  compat?: CompatMode | undefined;
  /**
   * Falco filter: only events that pass make records; the state follows all events. Default: all
   * pass.
   */
  filter?: string | undefined;
}

export interface SessionConfig extends CollectorOptions {
  /** Path of a capture or a SysFlow file; for a live capture, its name in messages. */
  input: string;
  /** Required kind of input. Default: auto, any kind. */
  kind?: NativeConfig['kind'] | undefined;
  /**
   * avro: bytes of a .sf file; columns: column batches; lines: events as text; recovered: bytes of
   * a capture; info: counts only; none: only the summary.
   */
  output: NativeConfig['output'];
  /** For kind live: what to record of the running kernel. */
  live?: LiveConfig | undefined;
  /** Count activity for takeBusiest(). Default: false. */
  tallies?: boolean | undefined;
  /** For datums and columns: also deliver the bytes of .sf files. Default: false. */
  withFiles?: boolean | undefined;
  /** For columns: also deliver single records. Default: false. */
  withDatums?: boolean | undefined;
  /**
   * Compression of .sf files. With null every byte of a file is the same on every machine; with
   * deflate what its blocks decompress to. Default: deflate.
   */
  codec?: Codec | undefined;
  /**
   * Start of the names of .sf files, such as `flows/` or `flow.`: the engine appends the second at
   * which a file starts, and the header has that name. Default: the header has `filename`.
   */
  fileNames?: string | undefined;
  /**
   * Seconds of event time between headers; after each header, entities are written again. Default:
   * 0, never.
   */
  rotateInterval?: number | undefined;
  /** For columns: tables to deliver. Default: all events, flows and entities. */
  tables?: readonly string[] | undefined;
  /** For a table that only captures have: the columns that get values. Default: all. */
  captureColumns?: readonly string[] | undefined;
  /** For a table of the state at a moment: the moments. Default: none. */
  moments?: readonly NativeMoment[] | undefined;
  /** For columns: maximum rows of a batch. Default: 8192. */
  batchRows?: number | undefined;
  /** For lines: text or one JSON object per line; count writes none. Default: text. */
  lineFormat?: NativeConfig['lineFormat'] | undefined;
  /** For lines: a template with %field names. Default: the usual event line. */
  line?: string | undefined;
  /** For findings: rules that compile. */
  rules?: (NativeRules & NativeMatching) | undefined;
  /** Aborting it ends the iteration, which throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** For lines: first and last event. Default: those of the capture. */
  from?: NativeBound | undefined;
  to?: NativeBound | undefined;
}

/** Maximum bytes in the path of a unix socket (linux/un.h). */
export const maxSocketPath = 107;

/** What to record of the running kernel, and how. */
export interface LiveConfig {
  /** Also record calls that change no state and make no records. Default: false. */
  allSyscalls?: boolean | undefined;
  /** Bytes of data to keep from each read and write, at most 4096. Default: 0. */
  snaplen?: number | undefined;
  /** Keep 1 in N of the calls that change no state; at most 128. Default: 1, all. */
  samplingRatio?: number | undefined;
  /**
   * Bytes per buffer between kernel and engine: a power of two from 4096 to 2^28. Default: 8388608.
   */
  ringBytes?: number | undefined;
  /** Processors per buffer; 0: one buffer for all. Default: 1. */
  cpusPerRing?: number | undefined;
  /** Use raw tracepoints even if tracepoints with BTF work. Default: false. */
  rawTracepoints?: boolean | undefined;
  /** Capture file to write as well. Default: none. */
  recordPath?: string | undefined;
  /** Compress the capture file with gzip. Default: false. */
  recordGzip?: boolean | undefined;
  /** Once the capture runs, drop unneeded privileges in the whole process. Default: false. */
  dropsPrivileges?: boolean | undefined;
  /** Stop after this number of events. Default: 0, never. */
  maxEvents?: number | undefined;
  /**
   * Directory with the files of the host, such as /host in a container: processes are read from its
   * /proc, users from its /etc. Default: the own root directory.
   */
  hostRoot?: string | undefined;
}

export const maxBatchRows = 122_880;

/** The configuration for the addon: defaults filled in, values checked. */
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
      [
        'avro',
        'columns',
        'datums',
        'files',
        'lines',
        'recovered',
        'info',
        'findings',
        'none',
      ] as const,
      undefined,
    ),
    tables: tableNames(config.tables),
    captureColumns: captureColumnNames(config.tables, config.captureColumns),
    moments: [...(config.moments ?? [])],
    batchRows: rowCount(config.batchRows),
    exporter: text('exporter', config.exporter, ''),
    nodeIp: text('nodeIp', config.nodeIp, ''),
    filename: text('filename', config.filename, ''),
    fileReadMode: fileReadModes.indexOf(
      oneOf('fileReadMode', config.fileReadMode, fileReadModes, 'select'),
    ) as 0 | 1 | 2,
    fileOnly: flag('fileOnly', config.fileOnly, true),
    processFlow: flag('processFlow', config.processFlow, true),
    containersOnly: flag('containersOnly', config.containersOnly, false),
    maxMemory: memorySize(config.maxMemory),
    compat: oneOf('compat', config.compat, ['', ...compatModes] as const, ''),
    filter: filterText(config.filter),
    withFiles: flag('withFiles', config.withFiles, false),
    withDatums: flag('withDatums', config.withDatums, false),
    codec: oneOf('codec', config.codec, codecs, 'deflate'),
    fileNames: text('fileNames', config.fileNames, ''),
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
  'hostRoot',
] as const satisfies (keyof LiveConfig)[];

/** The live part of the configuration for the addon. */
export function liveConfig(config: LiveConfig): NativeLiveConfig {
  for (const key of Object.keys(config)) {
    if (!(liveKeys as readonly string[]).includes(key))
      refuse(`unknown option 'live.${key}'${suggestion(key, liveKeys)}`);
  }
  const within = (key: keyof typeof liveLimits) => {
    const { min, max, default: fallback } = liveLimits[key];
    return whole(`live.${key}`, config[key] ?? fallback, min, max);
  };
  const ringBytes = within('ringBytes');
  if (!Number.isInteger(Math.log2(ringBytes)))
    refuse("option 'live.ringBytes' must be a power of two");
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
    hostRoot: text('live.hostRoot', config.hostRoot, ''),
  };
}

const knownKeys = new Set<string>([
  'input',
  'kind',
  'output',
  'withFiles',
  'withDatums',
  'codec',
  'fileNames',
  'mode',
  'rotateInterval',
  'tables',
  'captureColumns',
  'moments',
  'batchRows',
  'exporter',
  'nodeIp',
  'filename',
  'fileReadMode',
  'fileOnly',
  'processFlow',
  'containersOnly',
  'maxMemory',
  'compat',
  'filter',
  'lineFormat',
  'line',
  'from',
  'to',
  'live',
  'tallies',
  'rules',
  'signal',
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
  if (chosen.includes('\0')) refuse(`option '${name}' must not contain a NUL character`);
  return chosen;
}

/** Returns a filter that the engine accepts; throws for any other. */
export function filterText(value: unknown): string {
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

function oneOf<T extends string>(
  name: string,
  value: unknown,
  allowed: readonly T[],
  fallback: T | undefined,
): T {
  const chosen = value ?? fallback;
  const found = allowed.find((candidate) => candidate === chosen);
  if (found === undefined) {
    const list = allowed.filter((candidate) => candidate !== '').join(', ');
    refuse(`option '${name}' must be one of ${list}${suggestion(String(chosen), allowed)}`);
  }
  return found;
}

function tableNames(value: readonly string[] | undefined): string[] {
  const known = [...tables, ...captureTables].map((table) => table.name as string);
  if (value === undefined)
    return tables.filter((table) => table.kind !== 'all').map((table) => table.name);
  for (const name of value) {
    if (!known.includes(name)) refuse(`unknown table '${name}'${suggestion(name, known)}`);
  }
  return [...value];
}

function captureColumnNames(
  names: readonly string[] = [],
  value: readonly string[] = [],
): string[] {
  if (value.length === 0) return [];
  const table = captureTables.find(({ name }) => names.length === 1 && name === names[0]);
  if (table === undefined)
    refuse("option 'captureColumns' needs one table that only captures have");
  const known = tableColumns[table.name].filter(({ derived }) => !derived).map(({ name }) => name);
  for (const name of value) {
    if (!known.includes(name))
      refuse(`unknown column '${name}' of the table ${table.name}${suggestion(name, known)}`);
  }
  return [...value];
}

function seconds(name: string, value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 2 ** 30) {
    refuse(`option '${name}' must be a whole number of seconds from 0 to ${2 ** 30}`);
  }
  return value as number;
}

function whole(name: string, value: unknown, min: number, max: number): number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
    refuse(`option '${name}' must be a whole number from ${min} to ${max}`);
  return value as number;
}

function memorySize(value: number | undefined): number {
  return value === undefined
    ? 0
    : whole('maxMemory', value, loadAddon().minMaxMemory, Number.MAX_SAFE_INTEGER);
}

function rowCount(value: number | undefined): number {
  const rows = value ?? 8192;
  if (!Number.isInteger(rows) || rows < 1 || rows > maxBatchRows) {
    refuse(`option 'batchRows' must be a whole number from 1 to ${maxBatchRows}`);
  }
  return rows;
}
