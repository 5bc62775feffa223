import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { type Inspection, infoJson, infoText } from '../cli/capture-info.js';
import { filterFlag, maxMemoryFlag, maxMemoryOf } from '../cli/collector-flags.js';
import { exitCodes, explain } from '../cli/report.js';
import { refuseTerminalInput } from '../cli/standard-input.js';
import { isPartial } from '../cli/summary.js';
import { standardScreen } from '../draw/screen.js';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';
import { readInfo } from '../engine/session.js';
import { jsonDocument } from '../export/values.js';

export default class Info extends Command {
  static override summary = 'Describe captures: format, machine, contents and damage.';

  static override description =
    `Reads each capture to its end and shows format and age of the writer, compression, sections, machine, time, events, contents of the lists, containers and damage.

Exit code: 0 all captures are sound, 1 a file could not be read, 2 usage error, 3 a capture is damaged or did not fit into --max-memory.`;

  static override examples = [
    { description: 'One capture', command: '<%= config.bin %> info capture.scap' },
    {
      description: 'With its events by type',
      command: '<%= config.bin %> info capture.scap --events',
    },
    {
      description: 'Many captures, for a program',
      command: '<%= config.bin %> info captures/*.scap --json',
    },
  ];

  static override strict = false;

  static override args = {
    capture: Args.string({ required: true, description: 'captures to read; - for standard input' }),
  };

  static override flags = {
    filter: filterFlag,
    'max-memory': maxMemoryFlag,
    events: Flags.boolean({ description: 'count the events by type' }),
    json: Flags.boolean({ description: 'print an array with one object per capture' }),
  };

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(Info);
    const files = argv as string[];
    refuseTerminalInput(files);
    const inspections: Inspection[] = [];
    for (const file of files) {
      const inspection = await inspect(file, flags.filter, maxMemoryOf(flags));
      inspections.push(inspection);
      if ('error' in inspection)
        process.stderr.write(`sfkit: ${escapeForTerminal(inspection.error.message)}\n`);
      else if (!flags.json)
        process.stdout.write(infoText(file, inspection.summary, flags.events, standardScreen()));
    }
    if (flags.json) {
      const objects = inspections.map((inspection) => infoJson(inspection, flags.events));
      process.stdout.write(jsonDocument(objects));
    }
    if (inspections.some((inspection) => 'error' in inspection)) this.exit(exitCodes.failed);
    if (
      inspections.some((inspection) => 'summary' in inspection && isPartial(inspection.summary))
    ) {
      this.exit(exitCodes.partial);
    }
  }
}

async function inspect(
  file: string,
  filter: string | undefined,
  maxMemory: number | undefined,
): Promise<Inspection> {
  try {
    return { file, summary: await readInfo({ input: file, kind: 'capture', filter, maxMemory }) };
  } catch (error) {
    // A wrong filter fails for every file.
    if (!(error instanceof SfkitError) || error.code === 'INVALID_ARGUMENT') throw error;
    return { file, error: { code: error.code, message: explain(error).message } };
  }
}
