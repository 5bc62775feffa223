import { SfkitError } from '../engine/errors.js';
import type { Summary } from '../engine/session.js';
import { pendingFile } from '../export/pending.js';
import { isStream } from '../export/sink.js';
import { isSameTarget, refuseMissingDirectory } from '../export/target.js';
import { captureKernel, type LiveCaptureOptions } from '../live/capture.js';
import { type WatcherOptions, watchContainers } from '../live/runtimes/watcher.js';
import { endOnSignals } from './endings.js';

export interface LiveRun extends LiveCaptureOptions {
  /** Capture file to write; gzip if its name ends in .gz. */
  record?: string | undefined;
  /** Ends the capture after so many ms. */
  duration?: number | undefined;
  /** Who is asked about containers. */
  runtimes?: WatcherOptions | undefined;
}

export interface LiveEnd {
  summary: Summary;
  seconds: number;
  /** Why the records are not all written, which ended the capture. */
  failure?: unknown;
  /** Why the recording is not whole, which ended the capture too. */
  recordingFailure?: SfkitError;
}

/** Captures until a signal comes or the time is over; the recording gets its name when it is whole. */
export async function runLive({ record, duration, runtimes, ...options }: LiveRun): Promise<LiveEnd> {
  const output = options.plan?.output;
  if (record === '-') {
    throw new SfkitError('INVALID_ARGUMENT', 'a capture is written to a file or a named pipe, not to standard output');
  }
  if (record !== undefined && output !== undefined && output !== '-' && isSameTarget(record, output)) {
    throw new SfkitError('INVALID_ARGUMENT', `${record} would be the capture and the records; name them differently`);
  }
  // Said before the capture begins.
  if (options.plan?.shape === 'file' && options.plan.directory === undefined) {
    refuseMissingDirectory(options.plan.output);
  }
  const ending = new AbortController();
  const drain = new AbortController();
  let ended: bigint | undefined;
  const end = () => {
    ended ??= process.hrtime.bigint();
    ending.abort();
    // Who looks at standard output, page by page, is waited for; see below.
    if (output !== '-') drain.abort();
  };
  endOnSignals((signal) => {
    end();
    if (signal !== 'SIGINT') drain.abort();
  });
  // Whoever looks at the table goes away: nothing is left to do. (Records say so themselves.)
  if (options.onBusiest !== undefined) process.stdout.once('error', end);
  const pending =
    record === undefined || isStream(record) ? undefined : pendingFile(record, { keeps: true, isPrivate: true });
  const live = {
    ...options.live,
    recordPath: pending?.path ?? record,
    recordGzip: record?.endsWith('.gz') === true,
    dropsPrivileges: true,
  };
  const watcher = watchContainers(runtimes);
  let timer: NodeJS.Timeout | undefined;
  let began: bigint | undefined;
  const onTick = (summary: Summary) => {
    if (began === undefined && summary.live.running) {
      began = process.hrtime.bigint();
      process.stderr.write('sfkit: capturing; Ctrl-C ends it\n');
      if (duration !== undefined) timer = setTimeout(end, duration);
    }
    options.onTick?.(summary);
  };
  try {
    const { summary, failure } = await captureKernel({
      ...options,
      live,
      signal: ending.signal,
      drainSignal: drain.signal,
      describeContainer: watcher.describe,
      onTick,
    });
    const seconds = Number((ended ?? process.hrtime.bigint()) - (began ?? process.hrtime.bigint())) / 1e9;
    // A short one is over before it is seen that it began.
    const told = { summary, seconds: Math.max(seconds, Number(summary.lastTime - summary.firstTime) / 1e9), failure };
    const why = summary.live.recordingFailure;
    if (why !== '') return { ...told, recordingFailure: new SfkitError('OUTPUT_UNWRITABLE', why) };
    pending?.commit();
    return told;
  } finally {
    clearTimeout(timer);
    watcher.close();
  }
}
