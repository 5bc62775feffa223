import { basename } from 'node:path';
import { standardScreen } from '../draw/screen.js';
import { escapeForTerminal } from '../engine/escape.js';
import type { Dataset } from '../query/dataset.js';
import type { TextFormat } from '../query/formats.js';
import type { ParameterValues } from '../query/saved/parameters.js';
import { History, historyFile } from '../query/shell/history.js';
import type { ShellHost } from '../query/shell/host.js';
import { Shell } from '../query/shell/shell.js';
import { discardOnSignals, isEnough } from './endings.js';
import { standardOutput } from './pager.js';
import { explain } from './report.js';

export interface QueryShellOptions {
  inputs: readonly string[];
  format: TextFormat;
  limit: number | undefined;
  parameters: ParameterValues;
  keepsHistory: boolean;
  'no-pager': boolean;
}

/** Runs the shell of `sfkit query` until the user leaves. */
export async function runQueryShell(dataset: Dataset, options: QueryShellOptions): Promise<void> {
  const history = new History(options.keepsHistory ? historyFile() : undefined);
  await history.load();
  const shell = new Shell(terminalHost(options), dataset, {
    settings: { mode: options.format, limit: options.limit, showsTime: false },
    history,
    parameters: options.parameters,
  });
  const names = options.inputs.map((input) => escapeForTerminal(basename(input))).join(', ');
  process.stdout.write(`${names}: .help lists commands, .tables the tables; Ctrl-D leaves\n`);
  if (history.problem !== undefined)
    process.stderr.write(`sfkit: ${escapeForTerminal(history.problem)}\n`);
  await shell.run();
}

function terminalHost(flags: { 'no-pager': boolean }): ShellHost {
  return {
    input: process.stdin,
    output: process.stdout,
    screen: standardScreen,
    open: () => standardOutput(flags),
    report: (error) => process.stderr.write(`${explain(error).message}\n`),
    isEnough,
    onInterrupt(interrupt) {
      process.removeAllListeners('SIGINT');
      process.on('SIGINT', interrupt);
      return discardOnSignals;
    },
  };
}
