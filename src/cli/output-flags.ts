import * as Flags from '@oclif/core/flags';
import { type Codec, codecs, maxSocketPath } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import type { Summary } from '../engine/session.js';
import { grouped } from '../engine/summary-text.js';
import type { Conversion } from '../export/plan.js';
import { variables } from './collector-flags.js';
import { durationOf } from './live-flags.js';

/** Output flags of every command that writes records. */
export const outputFlags = {
  rotate: Flags.string({
    helpValue: 'TIME',
    description:
      'start a new file after this time, such as 60, 5m or 1h: NAME.sf becomes NAME.sf.SECONDS, and a directory gets one directory of tables per interval; records on a socket start again with a header',
  }),
  codec: Flags.option({ options: codecs })({
    helpValue: codecs.join('|'),
    description:
      'compression of SysFlow files: deflate (default), or null, with which every byte of a file is the same on every machine',
  }),
  socket: Flags.string({
    helpValue: 'PATH',
    description:
      'send records to this unix socket (SOCK_SEQPACKET), one Avro record per message; alone or in addition to -o',
  }),
  stats: Flags.string({
    helpValue: 'TIME',
    description:
      'print the numbers of events, records and live entities to standard error after each such time, and at the end',
  }),
};

interface OutputFlagValues {
  rotate?: string | undefined;
  socket?: string | undefined;
  stats?: string | undefined;
}

/** Seconds of event time between rotations; 0: none. */
export function rotationOf({ rotate }: OutputFlagValues): number {
  return rotate === undefined ? 0 : Math.ceil(durationOf('rotate', rotate) / 1000);
}

/** Rejects --codec if no output is a SysFlow file. */
export function refuseUnusedCodec(plans: readonly Conversion[], codec: Codec | undefined): void {
  if (codec === undefined || plans.some(({ format }) => format === 'avro')) return;
  const [first] = plans;
  const found = first === undefined ? 'none is written' : `the output is ${first.format}`;
  throw new SfkitError('INVALID_ARGUMENT', `--codec: only SysFlow files have a codec; ${found}`);
}

/** Rejects a path that a unix socket cannot have. */
export function refuseWrongSocket({ socket }: OutputFlagValues): void {
  if (socket === undefined) return;
  if (socket === '')
    throw new SfkitError('INVALID_ARGUMENT', '--socket: expected a path, found nothing');
  if (Buffer.byteLength(socket) > maxSocketPath) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `--socket: expected a path of at most ${maxSocketPath} bytes`,
    );
  }
}

/** Seconds between statistics without --stats, if ENABLE_STATS asks for them. */
const usualStatistics = '30s';

/** Prints statistics of a run, as --stats or ENABLE_STATS says. */
export class Statistics {
  readonly #interval: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #summary: (() => Summary) | undefined;

  constructor({ stats }: OutputFlagValues) {
    const isWanted = stats !== undefined || variables(['ENABLE_STATS']).enableStats === true;
    this.#interval = isWanted ? durationOf('stats', stats ?? usualStatistics) : undefined;
  }

  /** Starts with a new run. `summary`: what is known so far. */
  begin(summary: () => Summary): void {
    if (this.#interval === undefined) return;
    this.#summary = summary;
    this.#timer = setInterval(() => this.#print(), this.#interval);
    this.#timer.unref();
  }

  /** Prints the last numbers of the run. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#summary !== undefined) this.#print();
    this.#summary = undefined;
  }

  #print(): void {
    if (this.#summary !== undefined) process.stderr.write(statisticsText(this.#summary()));
  }
}

function statisticsText({ events, records, tables }: Summary): string {
  const total = Object.values(records).reduce((sum, count) => sum + count, 0n);
  const alive = {
    containers: tables.containers,
    processes: tables.processes,
    files: tables.files,
    'network flows': tables.networkFlows,
    'file flows': tables.fileFlows,
    'process flows': tables.processFlows,
  };
  const sizes = Object.entries(alive).map(([name, size]) => `${name} ${grouped(size)}`);
  return `sfkit: statistics: events ${grouped(events)}, records ${grouped(total)}; alive: ${sizes.join(', ')}\n`;
}
