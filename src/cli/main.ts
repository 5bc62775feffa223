import './nameless-user.js';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDuckDBEarly } from './open-early.js';
import { printRootHelp } from './root-help.js';

/** Runs sfkit with the arguments of its command line. `startedFrom`: URL of bin/run.js. */
export async function main(args: string[], startedFrom: string): Promise<void> {
  const program = fileURLToPath(startedFrom);
  if (await printRootHelp(args, dirname(dirname(program)))) return;
  await openDuckDBEarly(args);
  // Libraries that ask for the user load after the first import above, in a bundle too.
  const { runCommandLine } = await import('./command-line.js');
  await runCommandLine(args, program);
}
