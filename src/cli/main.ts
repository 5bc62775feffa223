import './nameless-user.js';
import { fileURLToPath } from 'node:url';

/** Runs sfkit with the arguments of its command line. `startedFrom`: URL of bin/run.js. */
export async function main(args: string[], startedFrom: string): Promise<void> {
  // Libraries that ask for the user load after the first import above, in a bundle too.
  const { runCommandLine } = await import('./command-line.js');
  await runCommandLine(args, fileURLToPath(startedFrom));
}
