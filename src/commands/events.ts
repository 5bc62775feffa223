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
  static override summary = 'Print the events of a capture, one per line.';

  static override description =
    `A line has the event number, the time in UTC, the processor, the process and thread, the direction (> enter, < exit), the name, and the parameters with decoded flags and named descriptors. Numbers count the event blocks of the file. Events that the capture tool itself made, such as procinfo and container, are printed too. Control characters of captured text are escaped.

-p takes text with %field in it (sfkit fields lists the fields); \\t and \\n are a tab and a newline, %% is a percent sign. A missing value is <NA>, in JSON null.

Exit code: 0 done, 1 failed, 2 usage error, 3 the capture is damaged; everything readable was printed.`;

  static override examples = [
    { description: 'All events', command: '<%= config.bin %> events capture.scap' },
    {
      description: 'Files that processes opened',
      command: '<%= config.bin %> events capture.scap -p "%evt.time %proc.name %evt.type %fd.name"',
    },
    {
      description: 'Two seconds as JSON Lines',
      command: '<%= config.bin %> events capture.scap --from +10 --to +12 --json',
    },
    {
      description: 'Failed calls of one program',
      command: '<%= config.bin %> events capture.scap --filter "proc.name = nginx and evt.failed = true"',
    },
    { description: 'The number of events', command: '<%= config.bin %> events capture.scap --count' },
  ];

  static override args = {
    capture: Args.string({ required: true, description: 'capture to read; - for standard input' }),
  };

  static override flags = {
    filter: filterFlag,
    print: Flags.string({
      char: 'p',
      helpValue: 'TEMPLATE',
      description: 'template of a line; with --json, the members of each object',
    }),
    json: Flags.boolean({
      description: 'one JSON object per line; without -p it has the raw and the decoded value of every parameter',
    }),
    from: Flags.string({
      helpValue: 'PLACE',
      description:
        'first event: its number, a time in UTC (2026-03-02T10:00:01.5), or +SECONDS from the first system call',
    }),
    to: Flags.string({ helpValue: 'PLACE', description: 'last event, written like --from' }),
    count: Flags.boolean({ description: 'print only the number of events' }),
    ...pagerFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Events);
    refuseTerminalInput([args.capture]);
    if (flags.count && (flags.json || flags.print !== undefined)) {
      throw new SfkitError('INVALID_ARGUMENT', '--count prints only a number; leave out --json and -p');
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
