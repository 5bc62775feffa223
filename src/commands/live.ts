import { existsSync } from 'node:fs';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import {
  allSyscallsOf,
  collectorFlags,
  collectorOptions,
  hostRootOf,
} from '../cli/collector-flags.js';
import { isEnough } from '../cli/endings.js';
import {
  durationOf,
  filterOf,
  kubernetesOf,
  liveConfigOf,
  liveFlags,
  runtimesOf,
} from '../cli/live-flags.js';
import { hasLoss, liveJson, liveText } from '../cli/live-summary.js';
import { refuseWrongOutput, withTimestamps } from '../cli/output-checks.js';
import {
  outputFlags,
  refuseUnusedCodec,
  refuseWrongSocket,
  rotationOf,
  Statistics,
} from '../cli/output-flags.js';
import { exitCodes } from '../cli/report.js';
import { runLive } from '../cli/run-live.js';
import { namedOutputs, type OutputName } from '../cli/summary.js';
import { showTop } from '../cli/top.js';
import { standardScreen } from '../draw/screen.js';
import { timestampUnits } from '../duckdb/sql-text.js';
import { tables } from '../engine/columns.gen.js';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';
import type { Summary } from '../engine/session.js';
import { formats as liveFormats, pairOutputs } from '../export/plan.js';
import { recordLines } from '../live/line.js';
import { planLiveOutputs } from '../live/plan.js';

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
    format: Flags.option({ char: 'f', options: liveFormats, multiple: true })({
      helpValue: liveFormats.join('|'),
      multipleNonGreedy: true,
      description:
        'output format (default: from the extension of -o; on standard output jsonl, on a terminal short lines); may be repeated',
    }),
    output: Flags.string({
      char: 'o',
      helpValue: 'PATH',
      multiple: true,
      multipleNonGreedy: true,
      description:
        'a file, a directory (ending in /), or - for standard output (the default); may be repeated to write several outputs',
    }),
    ...outputFlags,
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
    refuseWrongSocket(flags);
    const { format: formats = [], output: outputs = [], socket } = flags;
    const rotate = rotationOf(flags);
    const isShown =
      (socket !== undefined || flags.top) && outputs.length === 0 && formats.length === 0;
    const plans = withTimestamps(
      isShown ? [] : planLiveOutputs(pairOutputs(formats, outputs), rotate),
      flags.timestamps,
    );
    if (plans.length === 0 && socket === undefined && rotate > 0) {
      throw new SfkitError('INVALID_ARGUMENT', '--rotate applies to files; name them with -o');
    }
    const standard = plans.find(({ shape }) => shape === 'stdout');
    if (flags.top && standard !== undefined) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        '--top uses standard output; name a file for the records with -o',
      );
    }
    refuseWrongOutput(plans, flags.table);
    refuseUnusedCodec(plans, flags.codec);
    const screen = standardScreen();
    const hasLines =
      standard !== undefined &&
      formats.length === 0 &&
      flags.table === undefined &&
      screen !== undefined;
    if (flags.env && !hasLines) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        '--env is about the lines on a terminal; other outputs have it anyway',
      );
    }
    const hostRoot = hostRootOf();
    for (const pid of flags.pid ?? []) {
      if (!existsSync(`${hostRoot ?? ''}/proc/${pid}`))
        process.stderr.write(`sfkit: no process has the id ${pid} now\n`);
    }
    const statistics = new Statistics(flags);
    let last: Summary | undefined;
    const { summary, seconds, failure, recordingFailure, complete } = await runLive({
      ...collectorOptions({ ...flags, filter: filterOf(flags) }),
      plans,
      socket,
      rotateInterval: rotate,
      codec: flags.codec,
      warn: (message) => process.stderr.write(`sfkit: ${escapeForTerminal(message)}\n`),
      table: flags.table,
      // A terminal can change its width.
      lines: hasLines
        ? (batch) => recordLines(batch, { ...(standardScreen() ?? screen), env: flags.env })
        : undefined,
      live: liveConfigOf({ ...flags, 'all-syscalls': allSyscallsOf(flags) }),
      record: flags.write,
      onBusiest: flags.top ? showTop : undefined,
      onTick(now) {
        if (last === undefined) statistics.begin(() => last as Summary);
        last = now;
      },
      duration: flags.duration === undefined ? undefined : durationOf('duration', flags.duration),
      runtimes: runtimesOf(flags),
      hostRoot,
      kubernetes: kubernetesOf(flags),
    });
    last = summary;
    statistics.end();
    const written: OutputName[] = namedOutputs(
      plans.filter(({ output }) => complete.includes(output)),
      socket !== undefined && complete.includes(socket) ? socket : undefined,
    );
    if (flags.write !== undefined && recordingFailure === undefined) {
      written.push({ output: flags.write, format: 'capture' });
    }
    // If the reader of the records closed the pipe, the summary is printed only if other outputs
    // exist.
    if (written.length > 0 || !isEnough(failure)) {
      const outcome = {
        summary,
        seconds,
        outputs: written,
        recordsMade: plans.length > 0 || socket !== undefined,
      };
      const isTaken = standard !== undefined || flags.top;
      if (flags.json) (isTaken ? process.stderr : process.stdout).write(liveJson(outcome));
      else process.stderr.write(liveText(outcome));
    }
    const why = failure ?? recordingFailure;
    if (why !== undefined) throw why;
    if (hasLoss(summary)) this.exit(exitCodes.partial);
  }
}
