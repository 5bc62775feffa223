import { basename, join } from 'node:path';
import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { readOne } from '../cli/inputs.js';
import { refuseInputAsOutput } from '../cli/output-checks.js';
import { exitCodes } from '../cli/report.js';
import { refuseTerminalInput } from '../cli/standard-input.js';
import { recoveryText } from '../cli/summary.js';
import { SfkitError } from '../engine/errors.js';
import { inputName } from '../engine/input-kind.js';
import type { Summary } from '../engine/session.js';
import { isLossy, recover } from '../export/recover.js';
import { openSink } from '../output/sink.js';
import { lookAt, makeDirectory } from '../output/target.js';

export default class Recover extends Command {
  static override summary = 'Write clean captures from damaged ones.';

  static override description =
    `Writes an uncompressed capture of format 1.2, readable by tools that know its kinds of events and descriptors. Sound lists and events stay as they are; sfkit drops damaged ones and reports them. It also drops comments and blocks of unknown type, because older readers stop at them. Lists between events become the start of a new section.

Exit code: 0 nothing was dropped, 1 failed, 2 usage error, 3 something was dropped.`;

  static override examples = [
    {
      description: 'A clean capture',
      command: '<%= config.bin %> recover broken.scap -o good.scap',
    },
    {
      description: 'Many captures, under their names',
      command: '<%= config.bin %> recover broken/*.scap -o good/',
    },
    {
      description: 'A truncated gzip capture, for other tools',
      command: '<%= config.bin %> recover cut.scap.gz -o - > whole.scap',
    },
  ];

  static override strict = false;

  static override args = {
    capture: Args.string({ required: true, description: 'captures to read; - for standard input' }),
  };

  static override flags = {
    output: Flags.string({
      char: 'o',
      required: true,
      helpValue: 'FILE',
      description:
        'file to write, or - for standard output; a directory (ending in /) for several captures',
    }),
  };

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(Recover);
    const captures = argv as string[];
    refuseTerminalInput(captures);
    if (flags.output === '-' && process.stdout.isTTY) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        'a capture is binary and standard output is a terminal; redirect it or name a file with -o',
      );
    }
    const outputs = outputsOf(captures, flags.output);
    for (const output of outputs) refuseInputAsOutput(captures, output);
    if (isDirectory(flags.output)) makeDirectory(flags.output);
    const summaries: Summary[] = [];
    for (const [index, capture] of captures.entries()) {
      const output = outputs[index] as string;
      const summary = await readOne(captures.length > 1, () => recover(capture, openSink(output)));
      if (summary === undefined) continue;
      process.stderr.write(recoveryText(capture, output, summary));
      summaries.push(summary);
    }
    if (summaries.length < captures.length) this.exit(exitCodes.failed);
    if (summaries.some(isLossy)) this.exit(exitCodes.partial);
  }
}

function isDirectory(output: string): boolean {
  return output.endsWith('/') || lookAt(output).kind === 'directory';
}

/**
 * Where each capture goes: into a directory under its own name, which loses .gz because the output
 * is uncompressed.
 */
function outputsOf(captures: readonly string[], output: string): string[] {
  if (!isDirectory(output)) {
    if (captures.length === 1) return [output];
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `-o ${output}: several captures need a directory; write -o ${output}/`,
    );
  }
  const names = captures.map((capture) => basename(inputName(capture)).replace(/\.gz$/, ''));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `two captures are named ${twice}; recover them into different directories`,
    );
  }
  return names.map((name) => join(output, name));
}
