import { existsSync } from 'node:fs';
import { Flags } from '@oclif/core';
import type { LiveConfig } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';
import { liveLimits } from '../engine/live-limits.gen.js';
import type { WatcherOptions } from '../live/runtimes/watcher.js';

const helpGroup = 'CAPTURE';

/** What is recorded of the running kernel, and for how long. */
export const liveFlags = {
  duration: Flags.string({
    helpGroup,
    helpValue: 'TIME',
    description: 'end after this time, as 90, 90s, 15m or 2h (default: at Ctrl-C or SIGTERM)',
  }),
  'max-events': Flags.integer({
    helpGroup,
    helpValue: 'N',
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    description: 'end after so many events',
  }),
  'all-syscalls': Flags.boolean({
    helpGroup,
    description: 'also calls that change no state and make no records, most of them by name and number only',
  }),
  snaplen: Flags.integer({
    helpGroup,
    helpValue: 'BYTES',
    ...liveLimits.snaplen,
    description: `keep so many bytes of what is read and written, at most ${liveLimits.snaplen.max}`,
  }),
  sampling: Flags.integer({
    helpGroup,
    helpValue: 'N',
    ...liveLimits.samplingRatio,
    description: `keep one of N (at most ${liveLimits.samplingRatio.max}) of the calls that change no state, such as reads and writes`,
  }),
  'buffer-size': Flags.string({
    helpGroup,
    helpValue: 'SIZE',
    default: `${liveLimits.ringBytes.default / 2 ** 20}M`,
    description: 'size of each buffer between kernel and sfkit: a power of two, as 512K or 64M',
  }),
  'cri-socket': Flags.string({
    helpGroup,
    helpValue: 'PATH',
    description:
      'socket to ask about containers in place of those of containerd, CRI-O and others that speak their interface (docker and podman are asked as well)',
  }),
  'cri-timeout': Flags.string({
    helpGroup,
    helpValue: 'TIME',
    default: '30s',
    description: 'how long to ask about a container',
  }),
  'cpus-per-buffer': Flags.integer({
    helpGroup,
    helpValue: 'N',
    ...liveLimits.cpusPerRing,
    description: 'processors that share a buffer; 0: one for all',
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

/** Whom to ask about containers, and for how long. */
export function runtimesOf(flags: { 'cri-socket'?: string | undefined; 'cri-timeout': string }): WatcherOptions {
  const { 'cri-socket': criPath, 'cri-timeout': timeout } = flags;
  if (criPath === '') throw new SfkitError('INVALID_ARGUMENT', '--cri-socket: expected a path, found nothing');
  // It may come later; who mistyped it wants to know.
  if (criPath !== undefined && !existsSync(criPath)) {
    process.stderr.write(`sfkit: ${escapeForTerminal(criPath)}: there is no such socket yet\n`);
  }
  return { criPath, timeout: durationOf('cri-timeout', timeout) / 1000 };
}

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

function sizeOf(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,10})([KMG]?)i?B?$/i.exec(text) ?? [];
  const bytes = Number(digits) * (units[unit.toUpperCase()] ?? Number.NaN);
  if (Number.isInteger(Math.log2(bytes)) && bytes >= liveLimits.ringBytes.min && bytes <= liveLimits.ringBytes.max)
    return bytes;
  throw new SfkitError(
    'INVALID_ARGUMENT',
    `--buffer-size ${text}: expected a power of two from ${liveLimits.ringBytes.min / 2 ** 10}K to ${liveLimits.ringBytes.max / 2 ** 20}M, as 512K or 64M`,
  );
}

const seconds: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** The longest that a timer takes, in ms. */
const longest = 2 ** 31 - 1;

/** Milliseconds of a time such as 90s; throws INVALID_ARGUMENT. */
export function durationOf(flag: string, text: string): number {
  const [, digits, unit = ''] = /^(\d{1,8}(?:\.\d{1,3})?)([smhd]?)$/.exec(text) ?? [];
  const milliseconds = Math.round(Number(digits) * (seconds[unit] ?? Number.NaN) * 1000);
  if (milliseconds > 0 && milliseconds <= longest) return milliseconds;
  throw new SfkitError(
    'INVALID_ARGUMENT',
    `--${flag} ${text}: expected a time of at most ${Math.floor(longest / 86_400_000)} days, as 90, 90s, 15m or 2h`,
  );
}

/** --pid, --comm and --container as a filter, with the one that was given. */
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
      // As much of an id as runtimes show, or more.
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
const longestName = 15;

function nameFilter(names: readonly string[]): string {
  const isWhole = (name: string) => Buffer.byteLength(name) <= longestName;
  const whole = names.filter(isWhole);
  const parts = whole.length > 0 ? [`proc.name in (${whole.map(quoted).join(', ')})`] : [];
  for (const name of names.filter((each) => !isWhole(each))) {
    // Not within a character.
    const kept = new TextDecoder().decode(Buffer.from(name).subarray(0, longestName), { stream: true });
    parts.push(`proc.name startswith ${quoted(kept)}`);
  }
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' or ')})`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
