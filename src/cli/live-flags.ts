import { existsSync } from 'node:fs';
import * as Flags from '@oclif/core/flags';
import type { LiveConfig } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';
import { liveLimits } from '../engine/live-limits.gen.js';
import { type KubernetesSettings, kubernetesSettings } from '../live/kubernetes/settings.js';
import type { WatcherOptions } from '../live/runtimes/watcher.js';

const helpGroup = 'CAPTURE';

/** Flags for what to record of the running kernel, and for how long. */
export const liveFlags = {
  duration: Flags.string({
    helpGroup,
    helpValue: 'TIME',
    description: 'end after this time, such as 90, 90s, 15m or 2h (default: at Ctrl-C or SIGTERM)',
  }),
  'max-events': Flags.integer({
    char: 'n',
    helpGroup,
    helpValue: 'N',
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    description: 'end after this number of events',
  }),
  'all-syscalls': Flags.boolean({
    helpGroup,
    description:
      'also record calls that change no state and make no records, most of them by name and number only',
  }),
  snaplen: Flags.integer({
    helpGroup,
    helpValue: 'BYTES',
    ...liveLimits.snaplen,
    description: `bytes of data to keep from each read and write, at most ${liveLimits.snaplen.max}`,
  }),
  sampling: Flags.integer({
    helpGroup,
    helpValue: 'N',
    ...liveLimits.samplingRatio,
    description: `keep 1 in N (at most ${liveLimits.samplingRatio.max}) of the calls that change no state, such as reads and writes`,
  }),
  'buffer-size': Flags.string({
    helpGroup,
    helpValue: 'SIZE',
    default: `${liveLimits.ringBytes.default / 2 ** 20}M`,
    description:
      'size of each buffer between kernel and sfkit: a power of two, such as 512K or 64M',
  }),
  'cri-socket': Flags.string({
    helpGroup,
    helpValue: 'PATH',
    description:
      'CRI socket to ask about containers, instead of the usual ones of containerd, CRI-O and others (docker and podman are asked too)',
  }),
  'cri-timeout': Flags.string({
    helpGroup,
    helpValue: 'TIME',
    default: '30s',
    description: 'how long to ask again about a container that no runtime knows yet; 0: ask once',
  }),
  'k8s-api': Flags.string({
    helpGroup,
    helpValue: 'URL',
    description:
      'Kubernetes API to ask about pods and services (default: in a pod, that of its cluster); off: none',
  }),
  'k8s-cert': Flags.string({
    helpGroup,
    helpValue: 'FILES',
    description:
      'files for the Kubernetes API: a bearer token, certificates of authorities, or CERT:KEY[#PASSWORD][:CA]',
  }),
  'k8s-node': Flags.string({
    helpGroup,
    helpValue: 'NAME',
    description: 'node whose pods to follow (default: $NODE_NAME, else this node)',
  }),
  'cpus-per-buffer': Flags.integer({
    helpGroup,
    helpValue: 'N',
    ...liveLimits.cpusPerRing,
    description: 'processors that share a buffer; 0: one buffer for all',
  }),
};

interface LiveFlagValues {
  'max-events'?: number | undefined;
  'all-syscalls': boolean;
  snaplen: number;
  sampling: number;
  'buffer-size': string;
  'cpus-per-buffer': number;
}

export function liveConfigOf(flags: LiveFlagValues): LiveConfig {
  return {
    allSyscalls: flags['all-syscalls'],
    snaplen: flags.snaplen,
    samplingRatio: flags.sampling,
    ringBytes: sizeOf(flags['buffer-size']),
    cpusPerRing: flags['cpus-per-buffer'],
    maxEvents: flags['max-events'],
  };
}

/** Which runtimes to ask about containers, and for how long. */
export function runtimesOf(flags: {
  'cri-socket'?: string | undefined;
  'cri-timeout': string;
}): WatcherOptions {
  const { 'cri-socket': criPath, 'cri-timeout': timeout } = flags;
  if (criPath === '')
    throw new SfkitError('INVALID_ARGUMENT', '--cri-socket: expected a path, found nothing');
  // The socket may appear later, but warn in case of a typo.
  if (criPath !== undefined && !existsSync(criPath)) {
    process.stderr.write(`sfkit: ${escapeForTerminal(criPath)}: no such socket yet\n`);
  }
  const isZero = /^0+[smhd]?$/.test(timeout);
  return { criPath, timeout: isZero ? 0 : durationOf('cri-timeout', timeout) / 1000 };
}

/** The Kubernetes API to ask, if any. */
export function kubernetesOf(flags: {
  'k8s-api'?: string | undefined;
  'k8s-cert'?: string | undefined;
  'k8s-node'?: string | undefined;
}): KubernetesSettings | undefined {
  const { 'k8s-api': url, 'k8s-cert': cert, 'k8s-node': node } = flags;
  if (url === 'off') return undefined;
  const settings = kubernetesSettings({ url, cert, node });
  if (settings === undefined && (cert !== undefined || node !== undefined)) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      '--k8s-cert and --k8s-node need an API: add --k8s-api URL',
    );
  }
  return settings;
}

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

function sizeOf(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,10})([KMG]?)i?B?$/i.exec(text) ?? [];
  const bytes = Number(digits) * (units[unit.toUpperCase()] ?? Number.NaN);
  const { min, max } = liveLimits.ringBytes;
  if (Number.isInteger(Math.log2(bytes)) && bytes >= min && bytes <= max) return bytes;
  throw new SfkitError(
    'INVALID_ARGUMENT',
    `--buffer-size ${text}: expected a power of two from ${min / 2 ** 10}K to ${max / 2 ** 20}M, such as 512K or 64M`,
  );
}

const seconds: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** Maximum duration of a timer, in ms. */
const maxTimer = 2 ** 31 - 1;

/** Milliseconds of a time such as 90s; throws INVALID_ARGUMENT. */
export function durationOf(flag: string, text: string): number {
  const [, digits, unit = ''] = /^(\d{1,8}(?:\.\d{1,3})?)([smhd]?)$/.exec(text) ?? [];
  const milliseconds = Math.round(Number(digits) * (seconds[unit] ?? Number.NaN) * 1000);
  if (milliseconds > 0 && milliseconds <= maxTimer) return milliseconds;
  throw new SfkitError(
    'INVALID_ARGUMENT',
    `--${flag} ${text}: expected a time of at most ${Math.floor(maxTimer / 86_400_000)} days, such as 90, 90s, 15m or 2h`,
  );
}

/** Combines --pid, --comm, --container and --filter into one filter. */
export function filterOf(flags: {
  filter?: string | undefined;
  pid?: number[] | undefined;
  comm?: string[] | undefined;
  container?: string[] | undefined;
}): string | undefined {
  const parts: string[] = [];
  for (const name of ['comm', 'container'] as const) {
    if (flags[name]?.includes(''))
      throw new SfkitError('INVALID_ARGUMENT', `--${name}: expected a name, found nothing`);
  }
  if (flags.pid?.length) parts.push(`proc.pid in (${flags.pid.join(', ')})`);
  if (flags.comm?.length) parts.push(nameFilter(flags.comm));
  if (flags.container?.length) {
    const one = (name: string) => {
      const named = `container.name = ${quoted(name)}`;
      // A short or full container id.
      const isId = /^[0-9a-f]{12,64}$/.test(name);
      return isId ? `container.id = ${quoted(name.slice(0, 12))} or ${named}` : named;
    };
    parts.push(`(${flags.container.map(one).join(' or ')})`);
  }
  if (flags.filter !== undefined && flags.filter !== '')
    parts.push(parts.length > 0 ? `(${flags.filter})` : flags.filter);
  return parts.length === 0 ? undefined : parts.join(' and ');
}

/** Bytes of a program's name that the kernel keeps. */
const maxName = 15;

function nameFilter(names: readonly string[]): string {
  const isWhole = (name: string) => Buffer.byteLength(name) <= maxName;
  const whole = names.filter(isWhole);
  const parts = whole.length > 0 ? [`proc.name in (${whole.map(quoted).join(', ')})`] : [];
  for (const name of names.filter((each) => !isWhole(each))) {
    // Cut between characters.
    const kept = new TextDecoder().decode(Buffer.from(name).subarray(0, maxName), { stream: true });
    parts.push(`proc.name startswith ${quoted(kept)}`);
  }
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' or ')})`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
