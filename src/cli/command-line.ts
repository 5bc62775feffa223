import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Interfaces } from '@oclif/core';
import { ExitError } from '@oclif/core/errors';
import { run } from '@oclif/core/run';
import { OutputLost, OutputUnread } from '../engine/errors.js';
import { discardAll } from '../output/pending.js';
import {
  discardOnSignals,
  leaveUnread,
  loseOutput,
  outputFailed,
  watchStandardStreams,
} from './endings.js';
import { refuseSysdig } from './other-tools.js';
import { pagerEnded } from './pager.js';
import { holdProgress, showProgress } from './progress.js';
import { exitCodes, explain } from './report.js';

type PJSON = Interfaces.PJSON;

/**
 * Runs the command line: sets the exit code, prints one line for an error, and removes unfinished
 * output.
 */
export async function runCommandLine(args: string[], program: string): Promise<void> {
  discardOnSignals();
  watchStandardStreams();
  showProgress();
  let isUnread = false;
  try {
    // Without user plugins, no code and no warning comes from a home directory.
    refuseSysdig(args);
    // The version of a command is that of sfkit.
    const isVersion = args.length === 2 && ['--version', '-v', '-V'].includes(args[1] as string);
    await run(isVersion ? ['--version'] : args, {
      root: program,
      userPlugins: false,
      ...withoutHelpPlugin(args, dirname(dirname(program))),
    });
  } catch (error) {
    await pagerEnded();
    process.exitCode = report(error);
    isUnread = error instanceof OutputUnread;
  } finally {
    holdProgress();
    discardAll();
  }
  leaveUnread(isUnread);
}

/**
 * oclif takes milliseconds to find and load the plugin with the command `help`, which our own
 * commands do not need.
 */
function withoutHelpPlugin(
  [name = '']: readonly string[],
  root: string,
): { root?: string; pjson?: PJSON } {
  if (!/^[a-z]+$/.test(name) || !existsSync(join(root, 'dist', 'commands', `${name}.js`)))
    return {};
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PJSON;
  return { root, pjson: { ...pjson, oclif: { ...pjson.oclif, plugins: [] } } };
}

function report(error: unknown): number {
  // Thrown by this.exit(n): the command has already reported everything.
  if (error instanceof ExitError)
    return outputFailed() ? exitCodes.failed : (error.oclif.exit ?? exitCodes.failed);
  const lost = error instanceof OutputLost ? error.cause : error;
  if (error instanceof OutputLost || (error as NodeJS.ErrnoException).code === 'EPIPE') {
    return loseOutput(lost) ? exitCodes.failed : exitCodes.done;
  }
  const { message, exit } = explain(error);
  process.stderr.write(`sfkit: ${message}\n`);
  if (process.env.SFKIT_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exit;
}
