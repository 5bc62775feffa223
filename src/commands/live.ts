import { existsSync } from 'node:fs';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { collectorFlags, collectorOptions } from '../cli/collector-flags.js';
import { isEnough } from '../cli/endings.js';
import {
  durationOf,
  filterOf,
  kubernetesOf,
  liveConfigOf,
  liveFlags,
  runtimesOf,
} from '../cli/live-flags.js';
import { hasLoss, type LiveOutputName, liveJson, liveText } from '../cli/live-summary.js';
import { refuseWrongOutput, withTimestamps } from '../cli/output-checks.js';
import { exitCodes } from '../cli/report.js';
import { runLive } from '../cli/run-live.js';
import { showTop } from '../cli/top.js';
import { standardScreen } from '../draw/screen.js';
import { timestampUnits } from '../duckdb/sql-text.js';
import { tables } from '../engine/columns.gen.js';
import { maxSocketPath } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';
import { formats } from '../export/plan.js';
import { recordLines } from '../live/line.js';
import { planLive } from '../live/plan.js';

const tableNames = tables.map((table) => table.name);

export default class Live extends Command {
  static override summary = 'Capture the running kernel as SysFlow.';

  static override description =
    `Records the system calls of the running kernel with eBPF: no driver, no kernel headers, nothing to install. Needs root,
or the capabilities CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH; sfkit doctor names what is missing.

Records go to standard output: on a terminal as one short line each, else (or with -f jsonl) as JSON Lines. With -o they
go to a file or a directory, as sfkit convert writes them.
Unfinished output is called NAME.part (a single Parquet file has no name before its end) and gets its name when it is
complete: at Ctrl-C, SIGTERM, SIGHUP, the end of --duration or --max-events, or the next rotation. --write also records
the events; converting that capture gives the same records.

Exit code: 0 done, 1 failed, 2 usage error, 3 events were lost (the summary says how many and why).`;

  static override examples = [
    {
      description: 'The busiest processes, files and connections',
      command: '<%= config.bin %> live --top',
    },
    {
      description: 'Ten seconds into a SysFlow file',
      command: '<%= config.bin %> live --duration 10 -o now.sf',
    },
    {
      description: 'Activity of one program as it happens',
      command: '<%= config.bin %> live --comm nginx',
    },
    {
      description: 'Parquet tables, a new directory every five minutes',
      command: '<%= config.bin %> live -o tables/ --rotate 5m',
    },
    {
      description: 'Records now, and the capture for later',
      command: '<%= config.bin %> live -o now.sf --write now.scap.gz',
    },
  ];

  static override flags = {
    format: Flags.option({ char: 'f', options: formats })({
      helpValue: formats.join('|'),
      description:
        'output format (default: from the extension of -o; on standard output jsonl, on a terminal short lines)',
    }),
    output: Flags.string({
      char: 'o',
      helpValue: 'PATH',
      description: 'a file, a directory (ending in /), or - for standard output (the default)',
    }),
    rotate: Flags.string({
      helpValue: 'TIME',
      description:
        'start a new file after this time, such as 60, 5m or 1h: NAME.sf becomes NAME.sf.SECONDS, and a directory gets one directory of tables per interval',
    }),
    socket: Flags.string({
      helpValue: 'PATH',
      exclusive: ['output', 'format', 'rotate', 'table', 'timestamps'],
      description:
        'send records to this unix socket (SOCK_SEQPACKET) instead of -o, one Avro record per message',
    }),
    table: Flags.option({ options: tableNames })({
      helpValue: 'NAME',
      description:
        'the table of a single file: sysflow (all events and flows, the default), process_event, ...',
    }),
    timestamps: Flags.option({ options: timestampUnits })({
      helpValue: timestampUnits.join('|'),
      description: 'unit of times in Parquet files: ns (default), or us, which Spark can read',
    }),
    write: Flags.string({
      char: 'w',
      helpValue: 'CAPTURE',
      description: 'also record all events in this capture file, compressed if it ends in .gz',
    }),
    top: Flags.boolean({
      description:
        'show the busiest processes, files and connections every second; records are written only with -o',
    }),
    env: Flags.boolean({
      description: 'on a terminal, add the environment of the process to each line',
    }),
    json: Flags.boolean({ description: 'print the summary as JSON' }),
    pid: Flags.integer({
      helpValue: 'PID',
      multiple: true,
      min: 1,
      max: 2 ** 22,
      description:
        'only activity of this process (--pid, --comm and --container can be combined; all must match)',
    }),
    comm: Flags.string({
      helpValue: 'NAME',
      multiple: true,
      description: 'only activity of programs with this name',
    }),
    container: Flags.string({
      helpValue: 'ID|NAME',
      multiple: true,
      description: 'only activity in this container',
    }),
    ...liveFlags,
    ...collectorFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Live);
    const rotate =
      flags.rotate === undefined ? 0 : Math.ceil(durationOf('rotate', flags.rotate) / 1000);
    const isShown =
      flags.socket !== undefined ||
      (flags.top && flags.output === undefined && flags.format === undefined);
    const plan = withTimestamps(
      isShown ? undefined : planLive(flags.format, flags.output, rotate),
      flags.timestamps,
    );
    if (plan === undefined && rotate > 0) {
      throw new SfkitError('INVALID_ARGUMENT', '--rotate applies to files; name them with -o');
    }
    if (flags.top && plan?.shape === 'stdout') {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        '--top uses standard output; name a file for the records with -o',
      );
    }
    refuseWrongOutput(plan, flags.table);
    const screen = standardScreen();
    const hasLines =
      plan?.shape === 'stdout' &&
      flags.format === undefined &&
      flags.table === undefined &&
      screen !== undefined;
    if (flags.env && !hasLines) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        '--env is about the lines on a terminal; other outputs have it anyway',
      );
    }
    if (flags.socket !== undefined && Buffer.byteLength(flags.socket) > maxSocketPath) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        `--socket: expected a path of at most ${maxSocketPath} bytes`,
      );
    }
    for (const pid of flags.pid ?? []) {
      if (!existsSync(`/proc/${pid}`))
        process.stderr.write(`sfkit: no process has the id ${pid} now\n`);
    }
    const { summary, seconds, failure, recordingFailure } = await runLive({
      ...collectorOptions({ ...flags, filter: filterOf(flags) }),
      plan,
      socket: flags.socket,
      warn: (message) => process.stderr.write(`sfkit: ${escapeForTerminal(message)}\n`),
      table: flags.table,
      // A terminal can change its width.
      lines: hasLines
        ? (batch) => recordLines(batch, { ...(standardScreen() ?? screen), env: flags.env })
        : undefined,
      live: liveConfigOf(flags),
      record: flags.write,
      onBusiest: flags.top ? showTop : undefined,
      duration: flags.duration === undefined ? undefined : durationOf('duration', flags.duration),
      runtimes: runtimesOf(flags),
      kubernetes: kubernetesOf(flags),
    });
    const outputs: LiveOutputName[] = [];
    if (plan !== undefined && failure === undefined) {
      const isNumbered = plan.rotate > 0 && plan.format === 'avro';
      outputs.push({ output: isNumbered ? `${plan.output}.*` : plan.output, format: plan.format });
    }
    if (flags.socket !== undefined && failure === undefined)
      outputs.push({ output: flags.socket, format: 'socket' });
    if (flags.write !== undefined && recordingFailure === undefined) {
      outputs.push({ output: flags.write, format: 'capture' });
    }
    // If the reader of the records closed the pipe, the summary is printed only if other outputs
    // exist.
    if (outputs.length > 0 || !isEnough(failure)) {
      const outcome = {
        summary,
        seconds,
        outputs,
        recordsMade: plan !== undefined || flags.socket !== undefined,
      };
      const isTaken = plan?.shape === 'stdout' || flags.top;
      if (flags.json) (isTaken ? process.stderr : process.stdout).write(liveJson(outcome));
      else process.stderr.write(liveText(outcome));
    }
    const why = failure ?? recordingFailure;
    if (why !== undefined) throw why;
    if (hasLoss(summary)) this.exit(exitCodes.partial);
  }
}
