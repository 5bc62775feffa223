import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { SfkitError } from '../engine/errors.js';
import { resultFormats } from '../query/formats.js';
import { type StateVerb, stateStatement } from '../views/state.js';
import { drawFlags, drawOptions } from './draw-flags.js';
import { refuseTerminalInput } from './standard-input.js';

/** A command that shows the state of the machine at a moment. */
export abstract class StateCommand extends Command {
  static override strict = false;

  static override args = {
    capture: Args.string({ required: true, description: 'captures to read; - for standard input' }),
  };

  static override flags = {
    at: Flags.string({
      helpValue: 'TIME',
      default: 'end',
      description: 'start, end, a time in UTC (2026-03-02T10:00:01.5), or +SECONDS from the first event',
    }),
    pid: Flags.string({ helpValue: 'PID', description: 'only this process' }),
    format: Flags.option({ options: resultFormats })({
      char: 'f',
      helpValue: resultFormats.join('|'),
      default: 'table',
      description: 'output format',
    }),
    output: Flags.string({
      char: 'o',
      helpValue: 'FILE',
      default: '-',
      description: 'file to write, or - for standard output',
    }),
    ...drawFlags,
  };

  abstract readonly verb: StateVerb;

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(this.constructor as typeof StateCommand);
    const inputs = argv as string[];
    refuseTerminalInput(inputs);
    if (flags.pid !== undefined && !/^\d{1,18}$/.test(flags.pid))
      throw new SfkitError('INVALID_ARGUMENT', `--pid ${flags.pid}: expected a process id`);
    const sql = stateStatement(this.verb, flags.at, flags.pid === undefined ? undefined : BigInt(flags.pid));
    const draw = drawOptions(flags, flags.output === '-');
    // Imported here, because loading DuckDB takes a while and --help does not need it.
    const { answer } = await import('./answer.js');
    const code = await answer(inputs, sql, { ...flags, draw, filter: undefined });
    if (code !== 0) this.exit(code);
  }
}
