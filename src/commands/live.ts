import { existsSync } from 'node:fs';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { collectorFlags, collectorOptions } from '../cli/collector-flags.js';
import { isEnough } from '../cli/endings.js';
import { durationOf, filterOf, liveConfigOf, liveFlags, runtimesOf } from '../cli/live-flags.js';
import { hasLoss, type LiveOutputName, liveJson, liveText } from '../cli/live-summary.js';
import { refuseWrongOutput, withTimestamps } from '../cli/output-checks.js';
import { exitCodes } from '../cli/report.js';
import { runLive } from '../cli/run-live.js';
import { showTop } from '../cli/top.js';
import { timestampUnits } from '../duckdb/sql-text.js';
import { tables } from '../engine/columns.gen.js';
import { longestSocketPath } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { escapeForTerminal } from '../engine/escape.js';
import { formats } from '../export/plan.js';
import { planLive } from '../live/plan.js';

const tableNames = tables.map((table) => table.name);

export default class Live extends Command {
  static override summary = 'Turn what this machine does now into SysFlow.';

  static override description =
    `Records the system calls of the running kernel with eBPF: no driver, no kernel headers, nothing to install. Needs root,
or the capabilities CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH; sfkit doctor tells what is missing.

Records go to standard output as JSON lines, or with -o to a file or a directory, as sfkit convert writes them. Output
under way is called NAME.part (a single Parquet file has no name before its end) and gets its name when it is complete:
at Ctrl-C, SIGTERM, SIGHUP, the end of --duration or --max-events, or the next rotation. --write records the events as
well; converting that capture gives the same records.

Exit code: 0 done, 1 failed, 2 wrong usage, 3 events were lost (it is said how many and why).`;

  static override examples = [
    { description: 'Who is busy now', command: '<%= config.bin %> live --top' },
    { description: 'Ten seconds into a SysFlow file', command: '<%= config.bin %> live --duration 10 -o now.sf' },
    {
      description: 'What one program does, as it happens',
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
      description: 'what to write (default: from the ending of -o; on standard output jsonl)',
    }),
    output: Flags.string({
      char: 'o',
      helpValue: 'PATH',
      description: 'a file, a directory (ending in /), or - for standard output (the default)',
    }),
    rotate: Flags.string({
      helpValue: 'TIME',
      description:
        'begin a new file after this time, as 60, 5m or 1h: NAME.sf becomes NAME.sf.SECONDS, a directory gets a directory of tables each',
    }),
    socket: Flags.string({
      helpValue: 'PATH',
      exclusive: ['output', 'format', 'rotate', 'table', 'timestamps'],
      description: 'send records to this unix socket (SOCK_SEQPACKET), one a message as Avro, in place of -o',
    }),
    table: Flags.option({ options: tableNames })({
      helpValue: 'NAME',
      description: 'the table a single file holds: sysflow (all events and flows, the default), process_event, ...',
    }),
    timestamps: Flags.option({ options: timestampUnits })({
      helpValue: timestampUnits.join('|'),
      description: 'unit of the times in Parquet files: ns (default), or us, which Spark reads',
    }),
    write: Flags.string({
      char: 'w',
      helpValue: 'CAPTURE',
      description: 'record all events in this capture file, compressed if it ends in .gz',
    }),
    top: Flags.boolean({
      description: 'show the busiest processes, files and connections, each second; records are written with -o only',
    }),
    json: Flags.boolean({ description: 'print the summary as JSON' }),
    pid: Flags.integer({
      helpValue: 'PID',
      multiple: true,
      min: 1,
      max: 2 ** 22,
      description: 'only what this process does (of --pid, --comm and --container all that are given must hold)',
    }),
    comm: Flags.string({ helpValue: 'NAME', multiple: true, description: 'only what programs of this name do' }),
    container: Flags.string({
      helpValue: 'ID|NAME',
      multiple: true,
      description: 'only what happens in this container',
    }),
    ...liveFlags,
    ...collectorFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Live);
    const rotate = flags.rotate === undefined ? 0 : Math.ceil(durationOf('rotate', flags.rotate) / 1000);
    const isShown =
      flags.socket !== undefined || (flags.top && flags.output === undefined && flags.format === undefined);
    const plan = withTimestamps(isShown ? undefined : planLive(flags.format, flags.output, rotate), flags.timestamps);
    if (plan === undefined && rotate > 0) {
      throw new SfkitError('INVALID_ARGUMENT', '--rotate is about records in files; name them with -o');
    }
    if (flags.top && plan?.shape === 'stdout') {
      throw new SfkitError('INVALID_ARGUMENT', '--top takes standard output; name a file for the records with -o');
    }
    refuseWrongOutput(plan, flags.table);
    if (flags.socket !== undefined && Buffer.byteLength(flags.socket) > longestSocketPath) {
      throw new SfkitError('INVALID_ARGUMENT', `--socket: expected a path of at most ${longestSocketPath} bytes`);
    }
    for (const pid of flags.pid ?? []) {
      if (!existsSync(`/proc/${pid}`)) process.stderr.write(`sfkit: no process has the number ${pid} now\n`);
    }
    const { summary, seconds, failure, recordingFailure } = await runLive({
      ...collectorOptions({ ...flags, filter: filterOf(flags) }),
      plan,
      socket: flags.socket,
      warn: (message) => process.stderr.write(`sfkit: ${escapeForTerminal(message)}\n`),
      table: flags.table,
      live: liveConfigOf(flags),
      record: flags.write,
      onBusiest: flags.top ? showTop : undefined,
      duration: flags.duration === undefined ? undefined : durationOf('duration', flags.duration),
      runtimes: runtimesOf(flags),
    });
    const outputs: LiveOutputName[] = [];
    if (plan !== undefined && failure === undefined) {
      const isNumbered = plan.rotate > 0 && plan.format === 'avro';
      outputs.push({ output: isNumbered ? `${plan.output}.*` : plan.output, format: plan.format });
    }
    if (flags.socket !== undefined && failure === undefined) outputs.push({ output: flags.socket, format: 'socket' });
    if (flags.write !== undefined && recordingFailure === undefined) {
      outputs.push({ output: flags.write, format: 'capture' });
    }
    // Whoever took the records and had enough wants no summary, unless there is something to find.
    if (outputs.length > 0 || !isEnough(failure)) {
      const outcome = { summary, seconds, outputs, recordsMade: plan !== undefined || flags.socket !== undefined };
      const isTaken = plan?.shape === 'stdout' || flags.top;
      if (flags.json) (isTaken ? process.stderr : process.stdout).write(liveJson(outcome));
      else process.stderr.write(liveText(outcome));
    }
    const why = failure ?? recordingFailure;
    if (why !== undefined) throw why;
    if (hasLoss(summary)) this.exit(exitCodes.partial);
  }
}
