import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { exitCodes } from '../cli/report.js';
import { refuseTerminalInput } from '../cli/standard-input.js';
import { recoveryText } from '../cli/summary.js';
import { SfkitError } from '../engine/errors.js';
import { samePath } from '../export/plan.js';
import { isLossy, recover } from '../export/recover.js';
import { openSink } from '../output/sink.js';

export default class Recover extends Command {
  static override summary = 'Write a clean capture from a damaged one.';

  static override description =
    `Writes an uncompressed capture of format 1.2, readable by tools that know its kinds of events and descriptors. Sound lists and events stay as they are; sfkit drops damaged ones and reports them. It also drops comments and blocks of unknown type, because older readers stop at them. Lists between events become the start of a new section.

Exit code: 0 nothing was dropped, 1 failed, 2 usage error, 3 something was dropped.`;

  static override examples = [
    { description: 'A clean capture', command: '<%= config.bin %> recover broken.scap -o good.scap' },
    {
      description: 'A truncated gzip capture, for other tools',
      command: '<%= config.bin %> recover cut.scap.gz -o - > whole.scap',
    },
  ];

  static override args = {
    capture: Args.string({ required: true, description: 'capture to read; - for standard input' }),
  };

  static override flags = {
    output: Flags.string({
      char: 'o',
      required: true,
      helpValue: 'FILE',
      description: 'file to write, or - for standard output',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Recover);
    refuseTerminalInput([args.capture]);
    if (flags.output === '-' && process.stdout.isTTY) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        'a capture is binary and standard output is a terminal; redirect it or name a file with -o',
      );
    }
    if (samePath(args.capture, flags.output)) {
      throw new SfkitError('INVALID_ARGUMENT', `${flags.output} is the capture itself; name another file with -o`);
    }
    const summary = await recover(args.capture, openSink(flags.output));
    process.stderr.write(recoveryText(args.capture, flags.output, summary));
    if (isLossy(summary)) this.exit(exitCodes.partial);
  }
}
