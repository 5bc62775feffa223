import { fileReadModes, type LiveConfig, maxSocketPath } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';
import { liveLimits } from '../engine/live-limits.gen.js';
import { nearest } from '../engine/nearest.js';
import { SysFlowError } from '../engine/sysflow-errors.js';
import { liveName } from '../live/plan.js';
import { sfNames } from '../output/files.js';
import type {
  ActivityRecord,
  ContainerRecord,
  FileRecord,
  HeaderRecord,
  ProcessRecord,
} from '../records/types.js';

/**
 * Called for every event and flow in order, with the entities that the record refers to (null if
 * the capture lacks them). All calls come before `run()` resolves. If it returns a promise, the
 * driver and the engine wait for it. If it throws, the run ends and `run()` rejects with that
 * error.
 */
export type SysFlowCallback = (
  header: HeaderRecord,
  container: ContainerRecord | null,
  process: ProcessRecord | null,
  file1: FileRecord | null,
  file2: FileRecord | null,
  record: ActivityRecord,
) => void | Promise<void>;

export const driverTypes = ['EBPF', 'CORE_EBPF', 'KMOD', 'NO_DRIVER'] as const;
/**
 * How to capture a running kernel. Each of them is the probe of sfkit; NO_DRIVER also stands for a
 * capture file.
 */
export type DriverType = (typeof driverTypes)[number];

export const collectionModes = ['SFFlowMode', 'SFConsumerMode', 'SFNoFilesMode'] as const;
/** What to collect of files: flows, only opens, or nothing. */
export type CollectionMode = (typeof collectionModes)[number];

/** The configuration of a SysFlowDriver. Names and meanings are those of libSysFlow. */
export interface SysFlowConfig {
  /**
   * The capture to read. Default: capture the running kernel until exit(), which needs Linux on
   * x86-64 and the privileges that sfkit doctor names.
   */
  scapInputPath?: string;
  /** Called for every event and flow. */
  callback?: SysFlowCallback;
  /**
   * File to write, in SysFlow's Avro format. A name that ends in / is a directory: the file is
   * named after the second of the first event. Rotation appends the seconds to the name.
   */
  filePath?: string;
  /** Unix socket of type SOCK_SEQPACKET to send records to, one per message, as plain Avro. */
  socketPath?: string;
  /**
   * Seconds after which a new file starts; 0: never. Rotation of a capture file uses event time.
   * Default: 300 for live capture, 0 for a capture file.
   */
  rotateInterval?: number;
  /** Name of the exporter in the header. Default: the host name in the capture. */
  exporterID?: string;
  /** Address of the node in the header. Default: empty. */
  nodeIP?: string;
  /**
   * Falco filter: only events that pass make records; the state follows all events. Default: all
   * pass.
   */
  falcoFilter?: string;
  /**
   * Write only records of processes in containers. (The collector's documentation says the
   * opposite.) Default: false.
   */
  filterContainers?: boolean;
  /** Only regular files: no flows of pipes, directories and unix sockets. Default: true. */
  fileOnly?: boolean;
  /**
   * Flows of read-only files to keep: 0 all, 1 none, 2 those outside system directories. Default:
   * 2.
   */
  fileReadMode?: 0 | 1 | 2;
  /** Count threads in flows of their process instead of writing one event each. Default: true. */
  enableProcessFlow?: boolean;
  /** What to collect of files. Default: SFFlowMode. */
  collectionMode?: CollectionMode;
  /** The same as collectionMode SFConsumerMode. Default: false. */
  enableConsumerMode?: boolean;
  /**
   * Emit statistics as a log line and as the event `statistics`, every 30 seconds, at each rotation
   * and at the end. Default: false.
   */
  enableStats?: boolean;
  /** Log everything to standard error. Default: false. */
  debugMode?: boolean;
  /**
   * Name in log messages and of log files; of a path, such as that of the program, the last part.
   * Default: sysflowlibs.
   */
  appName?: string;
  /** Check the requirements of live capture in the constructor. Default: true. */
  moduleChecks?: boolean;
  /**
   * How to capture a running kernel. sfkit always uses its own probe, and warns for EBPF and KMOD.
   * scapInputPath allows NO_DRIVER only. Default: NO_DRIVER with scapInputPath, else CORE_EBPF.
   */
  driverType?: DriverType;
  /**
   * Live capture: keep 1 in N of the calls that change no state; a number, or its digits as text.
   * Default: 1, all.
   */
  samplingRatio?: number | string;
  /**
   * Live capture: skip calls that change no state and make no records already in the kernel.
   * Default: true.
   */
  dropMode?: boolean;
  /**
   * Live capture: bytes per buffer between kernel and engine, a multiple of the page size, rounded
   * up to a power of two. Default: 0, which means 8388608.
   */
  singleBufferDimension?: number;
  /** Live capture: processors per buffer; 0: one buffer for all. Default: 0. */
  cpuBuffers?: number;
  /**
   * Live capture: socket of the container runtime to ask about containers. Default: the usual
   * sockets.
   */
  criPath?: string;
  /**
   * Seconds in which to ask the container runtime again about a container that it does not know
   * yet; 0: ask once. (The collector treats the number as milliseconds.) Default: 30.
   */
  criTO?: number;
  /**
   * Live capture: address of the Kubernetes API to ask about the pods of this node and about
   * services. Default: in a pod, that of its cluster.
   */
  k8sAPIURL?: string;
  /**
   * Files for the Kubernetes API: a bearer token, certificates of authorities, or
   * `CERT:KEY[#PASSWORD][:CA]`. Default: in a pod, its service account.
   */
  k8sAPICert?: string;
}

/** A configuration with every default filled in. */
export type ResolvedConfig = Required<
  Omit<SysFlowConfig, 'callback' | 'enableConsumerMode' | 'samplingRatio'>
> &
  Pick<SysFlowConfig, 'callback'> & { samplingRatio: number };

interface Setting {
  fallback: unknown;
  /** Permitted values, in words. */
  allowed: string;
  fits(value: unknown): boolean;
  /** Converts another spelling of a value. */
  read?(value: unknown): unknown;
}

const text: Setting = {
  fallback: '',
  allowed: 'text without NUL characters',
  fits: (value) => typeof value === 'string' && !value.includes('\0'),
};
const flag = (fallback: boolean): Setting => ({
  fallback,
  allowed: 'true or false',
  fits: (value) => typeof value === 'boolean',
});
const whole = (fallback: number, min: number, max: number): Setting => ({
  fallback,
  allowed: `a whole number from ${min} to ${max}`,
  fits: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
});

/** A numeric setting of live capture. */
const limited = ({
  min,
  max,
  default: fallback,
}: {
  min: number;
  max: number;
  default: number;
}): Setting => whole(fallback, min, max);
const oneOf = (fallback: string, values: readonly string[]): Setting => ({
  fallback,
  allowed: `one of ${values.join(', ')}`,
  fits: (value) => values.includes(value as string),
});

const page = 4096;
const defaultName = 'sysflowlibs';

/** Default and permitted values of every field. */
const settings: Record<keyof SysFlowConfig, Setting> = {
  scapInputPath: text,
  callback: {
    fallback: undefined,
    allowed: 'a function',
    fits: (value) => typeof value === 'function',
  },
  filePath: text,
  socketPath: {
    fallback: '',
    allowed: `the path of a unix socket, at most ${maxSocketPath} bytes long`,
    fits: (value) => text.fits(value) && Buffer.byteLength(value as string) <= maxSocketPath,
  },
  rotateInterval: whole(300, 0, 2 ** 30),
  exporterID: text,
  nodeIP: text,
  falcoFilter: text,
  filterContainers: flag(false),
  fileOnly: flag(true),
  fileReadMode: {
    fallback: 2,
    allowed: '0, 1 or 2',
    fits: (value) => value === 0 || value === 1 || value === 2,
  },
  enableProcessFlow: flag(true),
  collectionMode: oneOf('SFFlowMode', collectionModes),
  enableConsumerMode: flag(false),
  enableStats: flag(false),
  debugMode: flag(false),
  appName: {
    ...text,
    fallback: defaultName,
    read: (value) =>
      typeof value === 'string' ? value.slice(value.lastIndexOf('/') + 1) || defaultName : value,
  },
  moduleChecks: flag(true),
  driverType: oneOf('NO_DRIVER', driverTypes),
  samplingRatio: {
    ...limited(liveLimits.samplingRatio),
    read: (value) =>
      typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value,
  },
  dropMode: flag(true),
  singleBufferDimension: {
    fallback: 0,
    allowed: `0 for the default, or a multiple of ${page} up to ${liveLimits.ringBytes.max} bytes`,
    fits: (value) =>
      whole(0, 0, liveLimits.ringBytes.max).fits(value) && (value as number) % page === 0,
  },
  cpuBuffers: limited({ ...liveLimits.cpusPerRing, default: 0 }),
  criPath: text,
  criTO: whole(30, 0, 3600),
  k8sAPIURL: {
    fallback: '',
    allowed: 'an http or https URL',
    fits: (value) => typeof value === 'string' && isWebAddress(value),
  },
  k8sAPICert: text,
};

/** Whether a text is an http or https URL. */
export function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/**
 * Checks a configuration and fills in its defaults. Throws a SysFlowError that names the field, the
 * value and the permitted values.
 */
export function resolveConfig(config: SysFlowConfig): ResolvedConfig {
  const given = config as Record<string, unknown>;
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(settings, name)) continue;
    const likely = nearest(name, Object.keys(settings));
    refuse(`unknown field '${name}'${likely === undefined ? '' : `; did you mean '${likely}'?`}`);
  }
  const resolved: Record<string, unknown> = {};
  for (const [name, { fallback, allowed, fits, read }] of Object.entries(settings)) {
    const found = given[name] ?? fallback;
    const value = read === undefined ? found : read(found);
    if (value !== fallback && !fits(value))
      refuse(`field '${name}' is ${shown(value)}; it must be ${allowed}`);
    resolved[name] = value;
  }
  const result = resolved as unknown as ResolvedConfig & { enableConsumerMode?: boolean };
  if (result.enableConsumerMode) {
    if (config.collectionMode !== undefined && config.collectionMode !== 'SFConsumerMode') {
      refuse(
        `field 'enableConsumerMode' is true and 'collectionMode' is '${config.collectionMode}'; they contradict each other`,
      );
    }
    result.collectionMode = 'SFConsumerMode';
  }
  delete result.enableConsumerMode;
  if (result.scapInputPath === '') {
    if (result.driverType === 'NO_DRIVER') result.driverType = 'CORE_EBPF';
  } else if (result.driverType !== 'NO_DRIVER') {
    refuse(
      `field 'scapInputPath' is given and 'driverType' is '${result.driverType}'; with a capture, 'driverType' must be NO_DRIVER`,
    );
  }
  if (result.filePath === '' && result.socketPath === '' && result.callback === undefined) {
    refuse("no output: give 'callback', 'filePath' or 'socketPath'");
  }
  // Capture files are rotated only on request.
  if (result.scapInputPath !== '') result.rotateInterval = config.rotateInterval ?? 0;
  return result;
}

/** Converts a configuration to settings of the engine. `hostRoot`: as in LiveConfig. */
export function engineOptions(config: ResolvedConfig, hostRoot?: string) {
  const modes = {
    SFFlowMode: 'flow',
    SFConsumerMode: 'consumer',
    SFNoFilesMode: 'no-files',
  } as const;
  return {
    ...(config.scapInputPath === ''
      ? { input: liveName, kind: 'live' as const, live: liveOptions(config, hostRoot) }
      : { input: config.scapInputPath, kind: 'capture' as const }),
    exporter: config.exporterID,
    nodeIp: config.nodeIP,
    ...sfNames(config.filePath, config.rotateInterval),
    filter: config.falcoFilter,
    containersOnly: config.filterContainers,
    fileOnly: config.fileOnly,
    fileReadMode: fileReadModes[config.fileReadMode] as (typeof fileReadModes)[number],
    processFlow: config.enableProcessFlow,
    mode: modes[config.collectionMode],
    rotateInterval: config.rotateInterval,
    withFiles: config.filePath !== '',
  };
}

function liveOptions(config: ResolvedConfig, hostRoot: string | undefined): LiveConfig {
  return {
    allSyscalls: !config.dropMode,
    samplingRatio: config.samplingRatio,
    // The kernel needs a power of two.
    ringBytes:
      2 ** Math.ceil(Math.log2(config.singleBufferDimension || liveLimits.ringBytes.default)),
    cpusPerRing: config.cpuBuffers,
    hostRoot,
  };
}

function shown(value: unknown): string {
  if (typeof value === 'string')
    return `'${escapeForTerminal(value.length > 60 ? `${value.slice(0, 60)}...` : value)}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

function refuse(message: string): never {
  throw new SysFlowError('LibsError', `configuration: ${message}`, {
    cause: new SfkitError('INVALID_ARGUMENT', message),
  });
}
