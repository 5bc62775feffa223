import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { filterFlag } from '../cli/collector-flags.js';
import { pagerFlag } from '../cli/draw-flags.js';
import { resultFlags } from '../cli/result-flags.js';
import { refuseTerminalInput } from '../cli/standard-input.js';
import { standardScreen } from '../draw/screen.js';
import { SfkitError } from '../engine/errors.js';
import { resultFormats } from '../query/formats.js';
import { topKinds, topStatement } from '../views/top.js';

const kinds = topKinds
  .map(
    ({ name, meaning, measures }) => `${name}: ${meaning}; by ${Object.keys(measures).join(', ')}`,
  )
  .join('\n');

export default class Top extends Command {
  static override summary =
    'Show what a capture has most of: processes, files, connections, errors, slow calls and more.';

  static override description =
    `KIND says what to compare, and --by the number to sort by (default: the first):

${kinds}

Only calls that the capture recorded count, and their seconds need enter events, which captures made since 2025 lack.

Exit code: 0 done, 1 failed, 2 usage error, 3 a capture is damaged; the answer covers everything readable.`;

  static override examples = [
    {
      description: 'The processes with the most I/O',
      command: '<%= config.bin %> top processes capture.scap',
    },
    {
      description: 'The files with the most errors',
      command: '<%= config.bin %> top files capture.scap --by errors',
    },
    {
      description: 'Calls of one program that took over 100 ms, as JSON',
      command:
        '<%= config.bin %> top slow-calls capture.scap --filter "proc.name = nginx" --at-least 0.1 -f json',
    },
  ];

  static override strict = false;

  static override args = {
    kind: Args.string({
      required: true,
      description: 'what to compare',
      options: topKinds.map(({ name }) => name),
    }),
    capture: Args.string({ required: true, description: 'captures to read; - for standard input' }),
  };

  static override flags = {
    by: Flags.string({ helpValue: 'MEASURE', description: 'number to sort by' }),
    rows: Flags.integer({
      char: 'n',
      helpValue: 'N',
      min: 1,
      default: 20,
      description: 'maximum rows',
    }),
    'at-least': Flags.string({
      helpValue: 'SECONDS',
      default: '0.001',
      description: 'for slow-calls and slow-files: the shortest time to show',
    }),
    filter: filterFlag,
    ...resultFlags(resultFormats, 'table'),
    ...pagerFlag,
  };

  override async run(): Promise<void> {
    const { argv, args, flags } = await this.parse(Top);
    const inputs = (argv as string[]).slice(1);
    refuseTerminalInput(inputs);
    const { by, rows, format, output, filter } = flags;
    const sql = topStatement(args.kind, { by, rows, least: nanoseconds(flags['at-least']) });
    const { answer } = await import('../cli/answer.js');
    const screen = output === '-' ? standardScreen() : undefined;
    const code = await answer(inputs, sql, {
      format,
      output,
      draw: { screen },
      filter,
      'no-pager': flags['no-pager'],
    });
    if (code !== 0) this.exit(code);
  }
}

function nanoseconds(text: string): bigint {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text))
    throw new SfkitError('INVALID_ARGUMENT', `--at-least ${text}: expected seconds, such as 0.5`);
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}
