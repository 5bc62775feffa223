import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { filterFlag, maxMemoryFlag, maxMemoryOf } from '../cli/collector-flags.js';
import { outputFlag, pagerFlag } from '../cli/draw-flags.js';
import { readOne } from '../cli/inputs.js';
import { refuseInputAsOutput } from '../cli/output-checks.js';
import { standardOutput } from '../cli/pager.js';
import { exitCodes } from '../cli/report.js';
import { refuseTerminalInput } from '../cli/standard-input.js';
import { damageText, isPartial, skippedText } from '../cli/summary.js';
import { parseBound } from '../engine/bounds.js';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';
import type { Summary } from '../engine/session.js';
import { writeEvents } from '../export/events.js';
import { openSink } from '../output/sink.js';

export default class Events extends Command {
  static override summary = 'Print the events of captures, one per line.';

  static override description =
    `A line has the event number, the time in UTC, the processor, the process and thread, the direction (> enter, < exit), the name, and the parameters with decoded flags and named descriptors. Numbers count the event blocks of the file. Events that the capture tool itself made, such as procinfo and container, are printed too. Control characters of captured text are escaped.

-p takes text with %field in it (sfkit fields lists the fields); \\t and \\n are a tab and a newline, %% is a percent sign. A missing value is <NA>, in JSON null.

Exit code: 0 done, 1 failed, 2 usage error, 3 the capture is damaged or did not fit into --max-memory; everything else was printed.`;

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
      command:
        '<%= config.bin %> events capture.scap --filter "proc.name = nginx and evt.failed = true"',
    },
    {
      description: 'The first ten failed opens',
      command:
        '<%= config.bin %> events capture.scap --filter "evt.type in (open, openat) and evt.failed = true" -n 10',
    },
    {
      description: 'The number of events',
      command: '<%= config.bin %> events capture.scap --count',
    },
  ];

  static override strict = false;

  static override args = {
    capture: Args.string({ required: true, description: 'captures to read; - for standard input' }),
  };

  static override flags = {
    filter: filterFlag,
    'max-memory': maxMemoryFlag,
    print: Flags.string({
      char: 'p',
      helpValue: 'TEMPLATE',
      description: 'template of a line; with --json, the members of each object',
    }),
    json: Flags.boolean({
      description:
        'one JSON object per line; without -p it has the raw and the decoded value of every parameter',
    }),
    from: Flags.string({
      helpValue: 'PLACE',
      description:
        'first event: its number, a time in UTC (2026-03-02T10:00:01.5), or +SECONDS from the first system call',
    }),
    to: Flags.string({ helpValue: 'PLACE', description: 'last event, written like --from' }),
    'max-events': Flags.integer({
      char: 'n',
      helpValue: 'N',
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      description: 'end after N events',
    }),
    count: Flags.boolean({
      description: 'print only the number of events; of several captures, one line each',
    }),
    output: outputFlag,
    ...pagerFlag,
  };

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(Events);
    const captures = argv as string[];
    refuseTerminalInput(captures);
    refuseInputAsOutput(captures, flags.output);
    if (flags.count && (flags.json || flags.print !== undefined)) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        '--count prints only a number; leave out --json and -p',
      );
    }
    const options = {
      format: flags.count ? ('count' as const) : flags.json ? ('json' as const) : ('text' as const),
      line: flags.print,
      filter: flags.filter,
      maxMemory: maxMemoryOf(flags),
      from: flags.from === undefined ? undefined : parseBound('--from', flags.from),
      to: flags.to === undefined ? undefined : parseBound('--to', flags.to),
    };
    const sink = flags.output === '-' ? standardOutput(flags) : openSink(flags.output);
    const done: { capture: string; summary: Summary }[] = [];
    let left = flags['max-events'] ?? Number.POSITIVE_INFINITY;
    try {
      for (const capture of captures) {
        if (left <= 0) break;
        const found = await readOne(captures.length > 1, () =>
          writeEvents(capture, { ...options, limit: left }, sink),
        );
        if (found === undefined) continue;
        left -= found.events;
        done.push({ capture, summary: found.summary });
        if (!flags.count) continue;
        await sink.write(
          captures.length > 1
            ? `${escapeForTerminal(capture)}: ${found.events}\n`
            : `${found.events}\n`,
        );
      }
      await sink.close();
    } catch (error) {
      sink.discard();
      throw error;
    }
    for (const { capture, summary } of done) process.stderr.write(skippedText(capture, summary));
    for (const { capture, summary } of done) process.stderr.write(damageText(capture, summary));
    if (left > 0 && done.length < captures.length) this.exit(exitCodes.failed);
    if (done.some(({ summary }) => isPartial(summary))) this.exit(exitCodes.partial);
  }
}
