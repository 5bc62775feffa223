import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { filterFlag } from '../cli/collector-flags.js';
import { pagerFlag } from '../cli/draw-flags.js';
import { standardOutput } from '../cli/pager.js';
import { exitCodes } from '../cli/report.js';
import { refuseTerminalInput } from '../cli/standard-input.js';
import { damageText, skippedText } from '../cli/summary.js';
import { parseBound } from '../engine/bounds.js';
import { SfkitError } from '../engine/errors.js';
import { listEvents } from '../export/events.js';

export default class Events extends Command {
  static override summary = 'Print the events of a capture, one a line.';

  static override description =
    `A line has the number of the event, the time in UTC, the processor, the process and its thread, > where a call is entered or < where it returns, the name, and the parameters with flags decoded and descriptors named. Numbers count the event blocks of the file. Events that the capture tool itself made, like procinfo and container, are printed too. Control characters of captured text are escaped.

-p takes text with %field in it (sfkit fields lists them); \\t and \\n are a tab and a line end, %% is a percent sign. A value that the capture does not have is shown as <NA>, in JSON as null.

Exit code: 0 done, 1 failed, 2 wrong usage, 3 the capture was damaged and what could be read was printed.`;

  static override examples = [
    { description: 'All events', command: '<%= config.bin %> events capture.scap' },
    {
      description: 'Who opened what',
      command: '<%= config.bin %> events capture.scap -p "%evt.time %proc.name %evt.type %fd.name"',
    },
    {
      description: 'Two seconds of it as JSON lines',
      command: '<%= config.bin %> events capture.scap --from +10 --to +12 --json',
    },
    {
      description: 'Reads that failed, of one process',
      command: '<%= config.bin %> events capture.scap --filter "proc.name = nginx and evt.failed = true"',
    },
    { description: 'How many there are', command: '<%= config.bin %> events capture.scap --count' },
  ];

  static override args = {
    capture: Args.string({ required: true, description: 'capture to read; - for standard input' }),
  };

  static override flags = {
    filter: filterFlag,
    print: Flags.string({
      char: 'p',
      helpValue: 'TEMPLATE',
      description: 'what a line looks like; with --json, the members of each object',
    }),
    json: Flags.boolean({
      description: 'one JSON object a line; without -p it has the raw and the decoded value of every parameter',
    }),
    from: Flags.string({
      helpValue: 'PLACE',
      description:
        'first event: its number, a time in UTC (2026-03-02T10:00:01.5), or +SECONDS from the first system call',
    }),
    to: Flags.string({ helpValue: 'PLACE', description: 'last event, written like --from' }),
    count: Flags.boolean({ description: 'print only how many events would be printed' }),
    ...pagerFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Events);
    refuseTerminalInput([args.capture]);
    if (flags.count && (flags.json || flags.print !== undefined)) {
      throw new SfkitError('INVALID_ARGUMENT', '--count prints a number alone; leave out --json and -p');
    }
    const summary = await listEvents(
      args.capture,
      {
        format: flags.count ? 'count' : flags.json ? 'json' : 'text',
        line: flags.print,
        filter: flags.filter,
        from: flags.from === undefined ? undefined : parseBound('--from', flags.from),
        to: flags.to === undefined ? undefined : parseBound('--to', flags.to),
      },
      standardOutput(flags),
    );
    process.stderr.write(skippedText(args.capture, summary));
    if (summary.damage.length === 0) return;
    process.stderr.write(damageText(args.capture, summary));
    this.exit(exitCodes.partial);
  }
}
