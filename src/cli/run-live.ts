import { SfkitError } from '../engine/errors.js';
import type { Summary } from '../engine/session.js';
import { captureKernel, type LiveCaptureOptions } from '../live/capture.js';
import { type WatcherOptions, watchContainers } from '../live/runtimes/watcher.js';
import { pendingFile } from '../output/pending.js';
import { isStream } from '../output/sink.js';
import { isSameTarget, refuseMissingDirectory } from '../output/target.js';
import { endOnSignals } from './endings.js';

export interface LiveRun extends LiveCaptureOptions {
  /** Capture file to write; gzip if its name ends in .gz. */
  record?: string | undefined;
  /** Ends the capture after this time, in ms. */
  duration?: number | undefined;
  /** Runtimes to ask about containers. */
  runtimes?: WatcherOptions | undefined;
  /** Directory with the files of the host. Default: the own root directory. */
  hostRoot?: string | undefined;
}

export interface LiveEnd {
  summary: Summary;
  seconds: number;
  /** Why writing records failed, which ended the capture. */
  failure?: unknown;
  /** Paths of the complete outputs of records; '-' for standard output. */
  complete: string[];
  /** Why the recording is incomplete, which also ended the capture. */
  recordingFailure?: SfkitError;
}

/**
 * Captures until a signal or the end of the duration. The recording gets its name when it is
 * complete.
 */
export async function runLive({
  record,
  duration,
  runtimes,
  hostRoot,
  ...options
}: LiveRun): Promise<LiveEnd> {
  const plans = options.plans ?? [];
  const hasStdout = plans.some(({ output }) => output === '-');
  if (record === '-') {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      'a capture needs a file or a named pipe, not standard output',
    );
  }
  if (
    record !== undefined &&
    plans.some(({ output }) => output !== '-' && isSameTarget(record, output))
  ) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${record} is both the capture and the output of records; use different names`,
    );
  }
  // Report the error before the capture starts.
  for (const { shape, directory, output } of plans)
    if (shape === 'file' && directory === undefined) refuseMissingDirectory(output);
  const ending = new AbortController();
  const drain = new AbortController();
  let ended: bigint | undefined;
  const end = () => {
    ended ??= process.hrtime.bigint();
    ending.abort();
    // A person may read standard output page by page; do not cut that short.
    if (!hasStdout) drain.abort();
  };
  endOnSignals((signal) => {
    end();
    if (signal !== 'SIGINT') drain.abort();
  });
  // The reader of the --top table closed standard output. (Outputs of records report this
  // themselves.)
  if (options.onBusiest !== undefined) process.stdout.once('error', end);
  const pending =
    record === undefined || isStream(record)
      ? undefined
      : pendingFile(record, { keeps: true, isPrivate: true });
  const live = {
    ...options.live,
    recordPath: pending?.path ?? record,
    recordGzip: record?.endsWith('.gz') === true,
    dropsPrivileges: true,
    hostRoot,
  };
  const watcher = watchContainers({ ...runtimes, hostRoot });
  let timer: NodeJS.Timeout | undefined;
  let startedAt: bigint | undefined;
  const onTick = (summary: Summary) => {
    if (startedAt === undefined && summary.live.running) {
      startedAt = process.hrtime.bigint();
      process.stderr.write('sfkit: capturing; Ctrl-C ends it\n');
      if (duration !== undefined) timer = setTimeout(end, duration);
    }
    options.onTick?.(summary);
  };
  try {
    const { summary, failure, complete } = await captureKernel({
      ...options,
      live,
      signal: ending.signal,
      drainSignal: drain.signal,
      describeContainer: watcher.describe,
      onTick,
    });
    const seconds =
      Number((ended ?? process.hrtime.bigint()) - (startedAt ?? process.hrtime.bigint())) / 1e9;
    // A short capture can end before the first tick.
    const result = {
      summary,
      seconds: Math.max(seconds, Number(summary.lastTime - summary.firstTime) / 1e9),
      failure,
      complete,
    };
    const why = summary.live.recordingFailure;
    if (why !== '')
      return { ...result, recordingFailure: new SfkitError('OUTPUT_UNWRITABLE', why) };
    pending?.commit();
    return result;
  } finally {
    clearTimeout(timer);
    watcher.close();
  }
}
