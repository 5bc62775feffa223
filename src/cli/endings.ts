// Loaded before watchStandardStreams(), which removes the listener that it adds to standard output.
import '@oclif/core/command';
import { OutputLost, reasonOf } from '../engine/errors.js';
import { discardAll } from '../output/pending.js';
import { holdProgress } from './progress.js';
import { exitCodes } from './report.js';

// Early ends of a run: by a signal, or because nobody reads its output.

const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

let isToEnd = false;

/**
 * Ends the process if unread data on standard output would keep it alive: after a signal that is
 * not from the keyboard, or if `isUnread`.
 */
export function leaveUnread(isUnread: boolean): void {
  if (isUnread || (isToEnd && process.stdout.writableLength > 0)) process.exit();
}

/**
 * For work that completes its output when it is stopped: calls `end` at the first signal. A second
 * signal ends the process as in discardOnSignals().
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
 * Removes unfinished output, then lets the signal take its default action. process.exit() could
 * deadlock: it waits for DuckDB's worker, which can wait for this thread to run a table function.
 */
export function discardOnSignals(): void {
  for (const signal of endings) {
    process.removeAllListeners(signal);
    process.on(signal, () => {
      holdProgress();
      discardAll();
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  }
}

let failed = false;

/** Whether standard output failed, other than by its reader closing it. */
export function outputFailed(): boolean {
  return failed;
}

/** Whether the reader of standard output closed it, as `| head` does; that is not a failure. */
export function isEnough(error: unknown): boolean {
  const cause = error instanceof OutputLost ? error.cause : error;
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
}

/** Reports an error of standard output once; returns whether it is a failure. */
export function loseOutput(error: unknown): boolean {
  if (isEnough(error)) return false;
  process.exitCode = exitCodes.failed;
  if (!failed) process.stderr.write(`sfkit: standard output: ${reasonOf(error)}\n`);
  failed = true;
  return true;
}

/**
 * Handles errors of the standard streams. Code that writes data also gets the error and ends by
 * itself. A message that standard error does not take is lost, and the work goes on.
 */
export function watchStandardStreams(): void {
  // The listener of oclif throws unknown errors, which would print a stack trace.
  process.stdout.removeAllListeners('error');
  process.stdout.on('error', loseOutput);
  process.stderr.on('error', () => {});
}
