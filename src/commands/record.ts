import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { hostRootOf } from '../cli/collector-flags.js';
import {
  durationOf,
  kubernetesOf,
  liveConfigOf,
  liveFlags,
  runtimesOf,
} from '../cli/live-flags.js';
import { hasLoss, liveJson, liveText } from '../cli/live-summary.js';
import { exitCodes } from '../cli/report.js';
import { runLive } from '../cli/run-live.js';
import { escapeForTerminal } from '../engine/escape.js';

export default class RecordCapture extends Command {
  static override summary = 'Record the running kernel in a capture file.';

  static override description =
    `Writes the system calls of the running kernel as a capture, which sfkit and other capture tools can read. The
requirements are those of sfkit live; sfkit doctor names what is missing.

The unfinished file is called NAME.part and gets its name when it is complete: at Ctrl-C, SIGTERM, SIGHUP, or the end of
--duration or --max-events. You can read it during the run, and also after a killed run.

Exit code: 0 done, 1 failed, 2 usage error, 3 events were lost (the summary says how many and why).`;

  static override examples = [
    {
      description: 'All system calls for one minute',
      command: '<%= config.bin %> record -o now.scap --duration 60 --all-syscalls',
    },
    {
      description: 'Compressed, until Ctrl-C',
      command: '<%= config.bin %> record -o incident.scap.gz',
    },
  ];

  static override flags = {
    output: Flags.string({
      char: 'o',
      helpValue: 'CAPTURE',
      required: true,
      description: 'the capture file; compressed if it ends in .gz',
    }),
    json: Flags.boolean({ description: 'print the summary as JSON' }),
    ...liveFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(RecordCapture);
    const { summary, seconds, recordingFailure } = await runLive({
      live: liveConfigOf(flags),
      record: flags.output,
      duration: flags.duration === undefined ? undefined : durationOf('duration', flags.duration),
      runtimes: runtimesOf(flags),
      hostRoot: hostRootOf(),
      kubernetes: kubernetesOf(flags),
      warn: (message) => process.stderr.write(`sfkit: ${escapeForTerminal(message)}\n`),
    });
    const outputs =
      recordingFailure === undefined ? [{ output: flags.output, format: 'capture' }] : [];
    const outcome = { summary, seconds, outputs, recordsMade: false };
    if (flags.json) process.stdout.write(liveJson(outcome));
    else process.stderr.write(liveText(outcome));
    if (recordingFailure !== undefined) throw recordingFailure;
    if (hasLoss(summary)) this.exit(exitCodes.partial);
  }
}
