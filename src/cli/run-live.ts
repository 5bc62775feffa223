import type { Summary } from '../engine/session.js';
import { pendingFile } from '../export/pending.js';
import { captureKernel, type LiveCaptureOptions } from '../live/capture.js';
import { endOnSignals } from './endings.js';

export interface LiveRun extends LiveCaptureOptions {
  /** Capture file to write; gzip if its name ends in .gz. */
  record?: string | undefined;
  /** Ends the capture after so many ms. */
  duration?: number | undefined;
}

/** Captures until a signal comes or the time is over; the recording gets its name when it is whole. */
export async function runLive({
  record,
  duration,
  ...options
}: LiveRun): Promise<{ summary: Summary; seconds: number }> {
  const ending = new AbortController();
  endOnSignals(() => ending.abort());
  const pending = record === undefined ? undefined : pendingFile(record, { keeps: true });
  const live = {
    ...options.live,
    recordPath: pending?.path,
    recordGzip: record?.endsWith('.gz') === true,
    dropsPrivileges: true,
  };
  let timer: NodeJS.Timeout | undefined;
  let began: bigint | undefined;
  const onTick = (summary: Summary) => {
    if (began === undefined) {
      began = process.hrtime.bigint();
      if (duration !== undefined) timer = setTimeout(() => ending.abort(), duration);
    }
    options.onTick?.(summary);
  };
  try {
    const summary = await captureKernel({ ...options, live, signal: ending.signal, onTick });
    const seconds = began === undefined ? 0 : Number(process.hrtime.bigint() - began) / 1e9;
    pending?.commit();
    return { summary, seconds };
  } finally {
    clearTimeout(timer);
  }
}
