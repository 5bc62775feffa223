import { SfkitError } from '../engine/errors.js';
import type { Summary } from '../engine/session.js';
import { pendingFile } from '../export/pending.js';
import { isStream } from '../export/sink.js';
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
  /** Why the recording is not whole, which ended the capture. The records are. */
  failure?: SfkitError;
}

/** Captures until a signal comes or the time is over; the recording gets its name when it is whole. */
export async function runLive({ record, duration, runtimes, ...options }: LiveRun): Promise<LiveEnd> {
  if (record === '-') {
    throw new SfkitError('INVALID_ARGUMENT', 'a capture is written to a file or a named pipe, not to standard output');
  }
  if (record !== undefined && options.plan?.output === record) {
    throw new SfkitError('INVALID_ARGUMENT', `${record} would be the capture and the records; name them differently`);
  }
  const ending = new AbortController();
  endOnSignals(() => ending.abort());
  // Whoever looks at the table goes away: nothing is left to do. (Records say so themselves.)
  if (options.onBusiest !== undefined) process.stdout.once('error', () => ending.abort());
  const pending = record === undefined || isStream(record) ? undefined : pendingFile(record, { keeps: true });
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
      if (duration !== undefined) timer = setTimeout(() => ending.abort(), duration);
    }
    options.onTick?.(summary);
  };
  try {
    const summary = await captureKernel({
      ...options,
      live,
      signal: ending.signal,
      describeContainer: watcher.describe,
      onTick,
    });
    const seconds = began === undefined ? 0 : Number(process.hrtime.bigint() - began) / 1e9;
    if (summary.live.recordingFailure !== '') {
      return { summary, seconds, failure: new SfkitError('OUTPUT_UNWRITABLE', summary.live.recordingFailure) };
    }
    pending?.commit();
    return { summary, seconds };
  } finally {
    clearTimeout(timer);
    watcher.close();
  }
}
