import { Errors, flush, run } from '@oclif/core';
import { discardAll } from '../export/pending.js';
import { exitCodes, explain } from './report.js';

/** Runs the command line: sets the exit code, prints one line for an error, leaves no unfinished output behind. */
export async function main(args: string[], startedFrom: string): Promise<void> {
  discardOnSignals();
  process.stdout.on('error', leaveOnClosedPipe);
  process.stderr.on('error', leaveOnClosedPipe);
  try {
    await run(args, startedFrom);
    await flush();
  } catch (error) {
    process.exitCode = report(error);
  } finally {
    discardAll();
  }
}

function report(error: unknown): number {
  // What this.exit(n) throws; its work is done and said.
  if (error instanceof Errors.ExitError) return error.oclif.exit ?? exitCodes.failed;
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') return exitCodes.done;
  const { message, exit } = explain(error);
  process.stderr.write(`sfkit: ${message}\n`);
  if (process.env.SFKIT_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exit;
}

/** The reader of our output went away, as `| head` does: nothing is left to do. */
function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  discardAll();
  process.exit(exitCodes.done);
}

function discardOnSignals(): void {
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.on(signal, () => {
      discardAll();
      process.exit(128 + number);
    });
  }
}
