import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { cacheFlags, openCache } from '../cli/cache-flags.js';
import { drawFlags, drawOptions, refuseRows } from '../cli/draw-flags.js';
import { reportInputs } from '../cli/input-report.js';
import { standardOutput } from '../cli/pager.js';
import { resultFlags } from '../cli/result-flags.js';
import { refuseTerminalInput } from '../cli/standard-input.js';
import { SfkitError } from '../engine/errors.js';
import { openSink } from '../output/sink.js';
import { momentHelp, momentIn, parseMoment, spanOf } from '../views/moment.js';
import { treeFormats, treeWriters } from '../views/tree-formats.js';

export default class Tree extends Command {
  static override summary = 'Draw the process tree of a capture.';

  static override description =
    `Each line has the start (UTC), the seconds until the end, the pid, user, container, the exit code or signal, and the command line. A process stands below the process that made it, also if that one ended first. Processes that are older than the capture have no start, and those that outlived it no exit code.

Formats: text; json (an array with parents before children); mermaid and dot (diagrams).

Exit code: 0 done, 1 failed, 2 usage error, 3 a capture is damaged; the tree has everything readable.`;

  static override examples = [
    { description: 'All processes', command: '<%= config.bin %> tree capture.scap' },
    {
      description: 'One process and its descendants, with their files and connections',
      command: '<%= config.bin %> tree capture.scap --pid 4711 --files --connections',
    },
    {
      description: 'A diagram',
      command: '<%= config.bin %> tree capture.scap -f dot | dot -Tsvg > tree.svg',
    },
  ];

  static override strict = false;

  static override args = {
    capture: Args.string({ required: true, description: 'captures to read; - for standard input' }),
  };

  static override flags = {
    pid: Flags.string({ helpValue: 'PID', description: 'only this process and its descendants' }),
    at: Flags.string({
      helpValue: 'TIME',
      description: `only processes that were alive at this time: ${momentHelp}`,
    }),
    files: Flags.boolean({ description: 'also show the files of each process' }),
    connections: Flags.boolean({
      description: 'also show the network connections of each process',
    }),
    ...resultFlags(treeFormats, 'text'),
    ...drawFlags,
    ...cacheFlags,
  };

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(Tree);
    const inputs = argv as string[];
    refuseTerminalInput(inputs);
    const pid = flags.pid === undefined ? undefined : numberOf(flags.pid);
    const moment = flags.at === undefined ? undefined : parseMoment(flags.at);
    const isStandardOutput = flags.output === '-';
    if (flags.format !== 'text') refuseRows(flags);
    const draw = drawOptions(flags, isStandardOutput);
    // Imported here, because loading DuckDB takes a while and --help does not need it.
    const { openDataset } = await import('../query/dataset.js');
    const { readTree, select, treeTables, walk } = await import('../views/tree.js');
    const dataset = await openDataset(inputs, treeTables(flags), {}, { cache: openCache(flags) });
    try {
      const processes = await readTree(dataset.connection, flags);
      const span = spanOf(dataset.summaries);
      const roots = select(processes, {
        pid,
        at: moment === undefined ? undefined : momentIn(moment, span),
      });
      if (pid !== undefined && roots.length === 0)
        throw new SfkitError(
          'INVALID_ARGUMENT',
          `--pid ${pid}: no such process in the capture; sfkit tree without --pid lists all`,
        );
      const sink = isStandardOutput ? standardOutput(flags) : openSink(flags.output);
      try {
        await treeWriters[flags.format](walk(processes, roots), sink, draw);
        await sink.close();
      } catch (error) {
        sink.discard();
        throw error;
      }
    } finally {
      dataset.close();
    }
    const code = reportInputs(dataset.summaries);
    if (code !== 0) this.exit(code);
  }
}

function numberOf(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new SfkitError('INVALID_ARGUMENT', `--pid ${text}: expected a process id`);
}
