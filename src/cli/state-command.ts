import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { SfkitError } from '../engine/errors.js';
import { resultFormats } from '../query/formats.js';
import { momentHelp, parseMoment } from '../views/moment.js';
import { type StateVerb, stateStatement } from '../views/state.js';
import { drawFlags, drawOptions } from './draw-flags.js';
import { resultFlags } from './result-flags.js';
import { refuseTerminalInput } from './standard-input.js';

const args = {
  capture: Args.string({ required: true, description: 'captures to read; - for standard input' }),
};

const flags = {
  at: Flags.string({
    helpValue: 'TIME',
    default: 'end',
    description: momentHelp,
  }),
  pid: Flags.string({ helpValue: 'PID', description: 'only this process' }),
  ...resultFlags(resultFormats, 'table'),
  ...drawFlags,
};

// oclif does not parse with what a class inherits.
const shared = { args, flags, strict: false };

/** A command that shows the state of the machine at a moment. */
export abstract class StateCommand extends Command {
  static override strict = false;

  static override args = args;

  static override flags = flags;

  abstract readonly verb: StateVerb;

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(shared);
    const inputs = argv as string[];
    refuseTerminalInput(inputs);
    if (flags.pid !== undefined && !/^\d{1,18}$/.test(flags.pid))
      throw new SfkitError('INVALID_ARGUMENT', `--pid ${flags.pid}: expected a process id`);
    const sql = stateStatement(
      this.verb,
      parseMoment(flags.at),
      flags.pid === undefined ? undefined : BigInt(flags.pid),
    );
    const draw = drawOptions(flags, flags.output === '-');
    // Imported here, because loading DuckDB takes a while and --help does not need it.
    const { answer } = await import('./answer.js');
    const code = await answer(inputs, sql, { ...flags, draw, filter: undefined });
    if (code !== 0) this.exit(code);
  }
}
