import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { cacheFlags, openCache } from '../cli/cache-flags.js';
import { filterFlag } from '../cli/collector-flags.js';
import { drawFlags, drawOptions, refuseRows } from '../cli/draw-flags.js';
import { reportInputs } from '../cli/input-report.js';
import { standardOutput } from '../cli/pager.js';
import { resultFlags } from '../cli/result-flags.js';
import { refuseTerminalInput } from '../cli/standard-input.js';
import { openSink } from '../output/sink.js';
import { spanOf } from '../views/moment.js';
import { parseStep } from '../views/timeline.js';

const formats = ['table', 'bars', 'csv', 'json', 'jsonl', 'markdown'] as const;

/** Steps of a timeline without --step. */
const usualSteps = { table: 30, bars: 60 };

export default class Timeline extends Command {
  static override summary = 'Show the activity of a capture over time.';

  static override description =
    `Counts process events, file events, flows and bytes in equal steps of time. A flow counts in the step in which it starts.

The format bars draws one line of bars for each kind of activity.

Exit code: 0 done, 1 failed, 2 usage error, 3 a capture is damaged; the counts cover everything readable.`;

  static override examples = [
    { description: 'About 30 steps', command: '<%= config.bin %> timeline capture.scap' },
    {
      description: 'Bars, 100 ms each',
      command: '<%= config.bin %> timeline capture.scap -f bars --step 100ms',
    },
  ];

  static override strict = false;

  static override args = {
    capture: Args.string({ required: true, description: 'captures to read; - for standard input' }),
  };

  static override flags = {
    step: Flags.string({
      helpValue: 'TIME',
      description:
        'length of a step, such as 500ms, 1s or 1m (default: about 30 steps, or 60 bars)',
    }),
    filter: filterFlag,
    ...resultFlags(formats, 'table'),
    ...drawFlags,
    ...cacheFlags,
  };

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(Timeline);
    const inputs = argv as string[];
    refuseTerminalInput(inputs);
    const { filter, output } = flags;
    const isStandardOutput = output === '-';
    if (flags.format === 'bars') refuseRows(flags);
    const draw = drawOptions(flags, isStandardOutput);
    const chosen = flags.step === undefined ? undefined : parseStep(flags.step);
    // Imported here, because loading DuckDB takes a while and --help does not need it.
    const { openDataset } = await import('../query/dataset.js');
    const { runQuery } = await import('../query/run.js');
    const { sparklines, timelineStatement, usualStep } = await import('../views/timeline.js');
    const dataset = await openDataset(
      inputs,
      "FROM timeline('1 s')",
      filter === undefined ? {} : { filter },
      {
        cache: openCache(flags),
      },
    );
    try {
      const { first, last } = spanOf(dataset.summaries);
      const steps = flags.format === 'bars' ? usualSteps.bars : usualSteps.table;
      const step = chosen ?? usualStep(last - first, steps);
      const sql = timelineStatement(step, { first, last });
      const open = () => (isStandardOutput ? standardOutput(flags) : openSink(output));
      if (flags.format === 'bars') {
        const sink = open();
        try {
          await sink.write(await sparklines(dataset.connection, sql, step));
          await sink.close();
        } catch (error) {
          sink.discard();
          throw error;
        }
      } else {
        await runQuery(dataset.connection, sql, flags.format, output, {
          draw,
          rows: flags.rows,
          open,
        });
      }
    } finally {
      dataset.close();
    }
    const code = reportInputs(dataset.summaries);
    if (code !== 0) this.exit(code);
  }
}
