import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { drawFlags, drawOptions, outputFlag, refuseRows } from '../cli/draw-flags.js';
import { readOne } from '../cli/inputs.js';
import { refuseInputAsOutput } from '../cli/output-checks.js';
import { standardOutput } from '../cli/pager.js';
import { exitCodes } from '../cli/report.js';
import { damageText, noteText } from '../cli/summary.js';
import { tables } from '../engine/columns.gen.js';
import { show, showFormats } from '../export/show.js';
import { openSink } from '../output/sink.js';

const tableNames = tables.map((table) => table.name);

export default class Show extends Command {
  static override summary = 'Print the records of SysFlow files.';

  static override description =
    `Prints events and flows in order, or another table. The drawn table has the most informative columns; json, jsonl and csv have every column. On a terminal it is fitted to the width; in a file or pipe nothing is cut. Captures can be shown too.

Exit code: 0 done, 1 failed, 2 usage error, 3 the file is damaged; everything readable was printed.`;

  static override examples = [
    { description: 'Events and flows', command: '<%= config.bin %> show capture.sf' },
    {
      description: 'The processes, one JSON object per line',
      command: '<%= config.bin %> show capture.sf --table process --format jsonl',
    },
  ];

  static override strict = false;

  static override args = {
    file: Args.string({
      required: true,
      description: 'SysFlow files (schema versions 1000 to 5; plain, deflate or snappy)',
    }),
  };

  static override flags = {
    format: Flags.option({ char: 'f', options: showFormats })({
      helpValue: showFormats.join('|'),
      default: 'table',
      description: 'output format',
    }),
    table: Flags.option({ options: tableNames })({
      helpValue: 'NAME',
      default: 'sysflow',
      description:
        'the table to print: sysflow (all events and flows), process_event, ..., process, file, container, pod, header',
    }),
    output: outputFlag,
    ...drawFlags,
  };

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(Show);
    const files = argv as string[];
    refuseInputAsOutput(files, flags.output);
    if (flags.format !== 'table') refuseRows(flags);
    const isStandardOutput = flags.output === '-';
    const shown = await show(
      files,
      flags.table,
      flags.format,
      isStandardOutput ? standardOutput(flags) : openSink(flags.output),
      { ...drawOptions(flags, isStandardOutput), each: (read) => readOne(files.length > 1, read) },
    );
    for (const { input, summary } of shown) process.stderr.write(noteText(input, summary));
    for (const { input, summary } of shown) process.stderr.write(damageText(input, summary));
    if (shown.length < files.length) this.exit(exitCodes.failed);
    if (shown.some(({ summary }) => summary.damage.length > 0)) this.exit(exitCodes.partial);
  }
}
