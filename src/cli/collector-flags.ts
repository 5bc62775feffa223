import * as Flags from '@oclif/core/flags';
import type { SysFlowConfig } from '../driver/config.js';
import { type EnvironmentSettings, readEnvironment } from '../driver/environment.js';
import { loadAddon } from '../engine/addon.js';
import { type CollectorOptions, compatModes, fileReadModes } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';
import { isStreamInput, looksLikeRecords } from '../engine/input-kind.js';
import { parseSize } from '../query/size.js';

const helpGroup = 'RECORDS';

/** The collector's names of what to record of files. */
const collectionModes = ['flow', 'consume', 'nofiles'] as const;
const fileModeOf = { flow: 'flow', consume: 'consumer', nofiles: 'no-files' } as const;

/** The collector's variables that change records, for every command that makes records. */
const recordVariables = ['FILE_ONLY', 'ENABLE_PROC_FLOW', 'FILE_READ_MODE', 'NODE_IP'] as const;

/** The filter flag of every command that reads events. */
export const filterFlag = Flags.string({
  helpValue: 'FILTER',
  description:
    'only events that pass this filter in the language of Falco and sysdig, such as "proc.name = nginx and fd.port = 443"; sfkit fields lists the fields',
});

/** The memory flag of every command that reads events. */
export const maxMemoryFlag = Flags.string({
  helpValue: 'SIZE',
  description:
    'memory for the engine, such as 500MB, at least 32MB; beyond it, flows end early and what was idle longest is forgotten, which is counted (default: no limit)',
});

/** The bytes of --max-memory. */
export function maxMemoryOf(flags: { 'max-memory'?: string | undefined }): number | undefined {
  const text = flags['max-memory'];
  if (text === undefined) return undefined;
  const bytes = parseSize('--max-memory', text);
  if (bytes < loadAddon().minMaxMemory)
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `--max-memory: '${text}' is too little: the engine needs ${loadAddon().minMaxMemory / 1e6}MB`,
    );
  return bytes;
}

/** The collector's settings, as flags of every command that makes records. */
export const collectorFlags = {
  filter: filterFlag,
  exporter: Flags.string({
    helpGroup,
    helpValue: 'NAME',
    description: 'name in the header of the records (default: the host name in the capture)',
  }),
  'node-ip': Flags.string({
    helpGroup,
    helpValue: 'ADDRESS',
    description: 'node address in the header of the records (default: empty)',
  }),
  'file-read-mode': Flags.option({ options: fileReadModes })({
    helpGroup,
    helpValue: 'all|none|select',
    default: 'select',
    description:
      'which flows of read-only files to keep; select leaves out files in system directories',
  }),
  'file-only': Flags.boolean({
    helpGroup,
    allowNo: true,
    default: true,
    description:
      'leave out flows on descriptors that are not files, such as pipes and unix sockets',
  }),
  'process-flow': Flags.boolean({
    helpGroup,
    allowNo: true,
    default: true,
    description: 'count the threads of a process in flows, instead of one event per thread',
  }),
  mode: Flags.option({ options: collectionModes })({
    helpGroup,
    helpValue: collectionModes.join('|'),
    default: 'flow',
    description:
      'what to record of files: flows; consume: only that they are opened; nofiles: nothing',
  }),
  'containers-only': Flags.boolean({
    helpGroup,
    description: 'keep only records of processes in containers',
  }),
  'max-memory': maxMemoryFlag,
  compat: Flags.option({ options: compatModes })({
    helpGroup,
    helpValue: compatModes.join('|'),
    description:
      'make exactly the records of this version of the SysFlow collector, including its known bugs',
  }),
};

/**
 * Converts the flags to library options. Environment variables override them, which standard error
 * reports.
 */
export function collectorOptions(flags: {
  filter?: string | undefined;
  exporter?: string | undefined;
  'node-ip'?: string | undefined;
  'file-read-mode': (typeof fileReadModes)[number];
  'file-only': boolean;
  'process-flow': boolean;
  mode: (typeof collectionModes)[number];
  'containers-only': boolean;
  'max-memory'?: string | undefined;
  compat?: (typeof compatModes)[number] | undefined;
}): CollectorOptions {
  const options = {
    filter: flags.filter,
    exporter: flags.exporter,
    nodeIp: flags['node-ip'],
    fileReadMode: flags['file-read-mode'],
    fileOnly: flags['file-only'],
    processFlow: flags['process-flow'],
    mode: fileModeOf[flags.mode],
    containersOnly: flags['containers-only'],
    maxMemory: maxMemoryOf(flags),
    compat: flags.compat,
  };
  const { fileOnly, fileReadMode, enableProcessFlow, nodeIP } = variables(recordVariables);
  const mode = fileReadMode === undefined ? undefined : fileReadModes[fileReadMode];
  return {
    ...options,
    fileOnly: overridden('FILE_ONLY', '--file-only', options.fileOnly, fileOnly),
    fileReadMode: overridden('FILE_READ_MODE', '--file-read-mode', options.fileReadMode, mode),
    processFlow: overridden(
      'ENABLE_PROC_FLOW',
      '--process-flow',
      options.processFlow,
      enableProcessFlow,
    ),
    nodeIp: overridden('NODE_IP', '--node-ip', options.nodeIp ?? '', nodeIP),
  };
}

/** Whether to record all system calls: --all-syscalls, or the collector's variable. */
export function allSyscallsOf(flags: { 'all-syscalls': boolean }): boolean {
  const { dropMode } = variables(['ENABLE_DROP_MODE']);
  const all = dropMode === undefined ? undefined : !dropMode;
  return overridden('ENABLE_DROP_MODE', '--all-syscalls', flags['all-syscalls'], all);
}

/** The directory with the files of the host, if the environment names one. */
export function hostRootOf(): string | undefined {
  const { hostRoot } = variables(['HOST_ROOT']);
  if (hostRoot !== undefined) {
    process.stderr.write(
      `sfkit: HOST_ROOT=${escapeForTerminal(hostRoot)} in the environment: the files of the host are below it\n`,
    );
  }
  return hostRoot;
}

/** The settings of these variables; standard error reports wrong values. */
export function variables(names: readonly string[]): Partial<SysFlowConfig> & EnvironmentSettings {
  const env = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  return readEnvironment(env, (message) => process.stderr.write(`sfkit: ${message}\n`));
}

function overridden<Value>(
  variable: string,
  flag: string,
  value: Value,
  override: Value | undefined,
): Value {
  if (override === undefined || override === value) return value;
  const set = escapeForTerminal(process.env[variable] ?? '');
  process.stderr.write(`sfkit: ${variable}=${set} in the environment overrides ${flag}\n`);
  return override;
}

/** Names of the capture flags that the user gave. */
export function givenCollectorFlags(
  flags: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, { setFromDefault?: boolean } | undefined>>,
): string[] {
  return Object.keys(collectorFlags).filter(
    (name) => flags[name] !== undefined && origins[name]?.setFromDefault !== true,
  );
}

/** Rejects capture flags for tables and SysFlow files. */
export function refuseForRecords(
  given: readonly string[],
  inputs: readonly { path: string; isTable: boolean }[],
): void {
  const [flag] = given;
  if (flag === undefined) return;
  for (const { path, isTable } of inputs) {
    if (!isTable && (isStreamInput(path) || !looksLikeRecords(path))) continue;
    const found = isTable ? 'a table' : 'a SysFlow file';
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${path}: --${flag} is about the events of a capture, and this is ${found}; leave it out`,
    );
  }
}
