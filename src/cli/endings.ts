import { OutputLost, reasonOf } from '../engine/errors.js';
import { discardAll } from '../output/pending.js';
import { exitCodes } from './report.js';

// How a run ends before its work is done: by a signal, or because nobody takes what it writes.

const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

let isToEnd = false;

/**
 * Ends the process where something is left that nobody takes from standard output, which would keep it: after a signal that
 * is not from the keyboard, or when `isUnread` is known.
 */
export function leaveUnread(isUnread: boolean): void {
  if (isUnread || (isToEnd && process.stdout.writableLength > 0)) process.exit();
}

/**
 * For work that ends when it is told to, with its output complete: calls `end` at the first signal. A second one ends
 * the process as discardOnSignals() has it.
 */
export function endOnSignals(end: (signal: string) => void): void {
  for (const signal of endings) {
    process.removeAllListeners(signal);
    process.once(signal, () => {
      isToEnd = signal !== 'SIGINT';
      discardOnSignals();
      end(signal);
    });
  }
}

/**
 * Removes unfinished output, then lets the signal do what it does by default. Not process.exit(): that waits
 * for DuckDB's worker, which may wait for this thread to run a table function of ours.
 */
export function discardOnSignals(): void {
  for (const signal of endings) {
    process.removeAllListeners(signal);
    process.on(signal, () => {
      discardAll();
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  }
}

let failed = false;

/** Whether standard output failed, and not because its reader had enough. */
export function outputFailed(): boolean {
  return failed;
}

/** Whether it is that the reader of standard output had enough, as `| head` has: that is no failure. */
export function isEnough(error: unknown): boolean {
  const cause = error instanceof OutputLost ? error.cause : error;
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
}

/** Says what is wrong with standard output, once, whoever finds out first; true when it was said. */
export function loseOutput(error: unknown): boolean {
  if (isEnough(error)) return false;
  process.exitCode = exitCodes.failed;
  if (!failed) process.stderr.write(`sfkit: standard output: ${reasonOf(error)}\n`);
  failed = true;
  return true;
}

/**
 * Errors of the standard streams. Who writes data is told as well and ends by itself; here only what is left is
 * done. What cannot be said on standard error is lost, and the work goes on.
 */
export function watchStandardStreams(): void {
  // The command line's library throws what it does not know, which would be a stack trace.
  process.stdout.removeAllListeners('error');
  process.stdout.on('error', loseOutput);
  process.stderr.on('error', () => {});
}
