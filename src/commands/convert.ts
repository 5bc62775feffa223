import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import {
  collectorFlags,
  collectorOptions,
  givenCollectorFlags,
  refuseForRecords,
} from '../cli/collector-flags.js';
import { refuseWrongOutput, withTimestamps } from '../cli/output-checks.js';
import {
  outputFlags,
  refuseUnusedCodec,
  refuseWrongSocket,
  rotationOf,
  Statistics,
} from '../cli/output-flags.js';
import { exitCodes, explain } from '../cli/report.js';
import { refuseTerminalInput } from '../cli/standard-input.js';
import { isPartial, namedOutputs, type Outcome, summaryJson, summaryText } from '../cli/summary.js';
import { runConversions } from '../convert/convert.js';
import { timestampUnits } from '../duckdb/sql-text.js';
import { tables } from '../engine/columns.gen.js';
import { escapeForTerminal } from '../engine/escape.js';
import type { Summary } from '../engine/session.js';
import { convertFormats, pairOutputs, planAll } from '../export/plan.js';
import { singleInputs } from '../query/inputs.js';

const tableNames = tables.map((table) => table.name);

export default class Convert extends Command {
  static override summary = 'Convert captures, SysFlow files and tables into each other.';

  static override description =
    `Reads system-call captures (.scap, plain or gzip), SysFlow files (.sf) and tables (.parquet, .arrow) and writes their records: as a SysFlow file (avro), as tables (parquet, arrow, jsonl, csv), or as a DuckDB database (duckdb). Without -o the tables go to NAME.sysflow/ in the working directory, one file per table. An existing output of that name is replaced.

A directory of tables is one input; a directory of captures and SysFlow files is one input per file. A SysFlow file can be rebuilt from tables; sfkit counts the data that they lack.

Exit code: 0 done, 1 failed, 2 usage error, 3 an input is damaged or did not fit into --max-memory; everything else was written.`;

  static override examples = [
    {
      description: 'Parquet tables in capture.sysflow/',
      command: '<%= config.bin %> convert capture.scap',
    },
    {
      description: 'A SysFlow file for any SysFlow reader',
      command: '<%= config.bin %> convert capture.scap -o capture.sf',
    },
    {
      description: 'All events and flows in one CSV file',
      command: '<%= config.bin %> convert capture.scap -o events.csv',
    },
    {
      description: 'One table on standard output',
      command: '<%= config.bin %> convert capture.scap -f jsonl -o - --table network_flow',
    },
    {
      description: 'Only activity in one container',
      command: '<%= config.bin %> convert capture.scap --filter "container.id = 0123456789ab"',
    },
    {
      description: 'A database for the DuckDB command line, with every table',
      command: '<%= config.bin %> convert capture.scap -o capture.duckdb',
    },
    {
      description: 'A SysFlow file from a directory of tables',
      command: '<%= config.bin %> convert capture.sysflow/ -o capture.sf',
    },
    {
      description: 'A SysFlow file and tables in one pass',
      command: '<%= config.bin %> convert capture.scap -o capture.sf -o tables/',
    },
    {
      description: 'Records to a consumer that listens on a unix socket',
      command: '<%= config.bin %> convert capture.scap --socket /run/sysflow.sock',
    },
    {
      description: 'Many captures, one directory each',
      command: '<%= config.bin %> convert captures/*.scap -o tables/',
    },
  ];

  static override strict = false;

  static override args = {
    capture: Args.string({
      required: true,
      description:
        'captures (- for standard input), SysFlow files, tables or directories to convert',
    }),
  };

  static override flags = {
    format: Flags.option({ char: 'f', options: convertFormats, multiple: true })({
      helpValue: convertFormats.join('|'),
      multipleNonGreedy: true,
      description:
        'output format (default: from the extension of -o, else parquet); may be repeated',
    }),
    output: Flags.string({
      char: 'o',
      helpValue: 'PATH',
      multiple: true,
      multipleNonGreedy: true,
      description:
        'a file, a directory (ending in /), or - for standard output (default: NAME.sysflow/, for avro NAME.sf, for duckdb NAME.duckdb); may be repeated to write several outputs in one pass',
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
    json: Flags.boolean({ description: 'print the summary as JSON' }),
    ...collectorFlags,
  };

  override async run(): Promise<void> {
    const { argv, flags, metadata } = await this.parse(Convert);
    refuseTerminalInput(argv as string[]);
    const inputs = singleInputs(argv as string[]);
    const given = givenCollectorFlags(flags, metadata.flags);
    refuseForRecords(
      flags.rotate === undefined ? given : [...given, 'rotate'],
      inputs.map(({ path, tables }) => ({ path, isTable: tables !== undefined })),
    );
    refuseWrongSocket(flags);
    const rotateInterval = rotationOf(flags);
    const { format: formats = [], output: outputs = [], socket } = flags;
    const onlySocket = socket !== undefined && formats.length === 0 && outputs.length === 0;
    const plan = planAll(
      inputs.map(({ path }) => path),
      onlySocket ? [] : pairOutputs(formats, outputs),
      rotateInterval,
    ).map((plans) => withTimestamps(plans, flags.timestamps));
    const first = plan[0] ?? [];
    refuseWrongOutput(first, flags.table);
    refuseUnusedCodec(first, flags.codec);
    const toStdout = first.some(({ shape }) => shape === 'stdout');
    const collector = inputs.every(({ tables }) => tables !== undefined)
      ? {}
      : collectorOptions(flags);
    const statistics = new Statistics(flags);
    const outcomes: Outcome[] = [];
    let failed = 0;
    for (const [index, plans] of plan.entries()) {
      const { path: input, tables } = inputs[index] as (typeof inputs)[number];
      const start = process.hrtime.bigint();
      try {
        const options = {
          ...collector,
          table: flags.table,
          tables,
          socket,
          rotateInterval,
          codec: flags.codec,
          warn: (message: string) => process.stderr.write(`sfkit: ${escapeForTerminal(message)}\n`),
          onStart: (summary: () => Summary) => statistics.begin(summary),
        };
        const summary = await runConversions(input, plans, options);
        outcomes.push({
          input,
          outputs: namedOutputs(plans, socket),
          summary,
          seconds: Number(process.hrtime.bigint() - start) / 1e9,
        });
      } catch (error) {
        // Convert the other inputs anyway.
        if (plan.length === 1) throw error;
        failed += 1;
        process.stderr.write(`sfkit: ${explain(error).message}\n`);
        continue;
      } finally {
        statistics.end();
      }
      if (!flags.json) process.stderr.write(summaryText(outcomes.at(-1) as Outcome));
    }
    if (flags.json) (toStdout ? process.stderr : process.stdout).write(summaryJson(outcomes));
    if (failed > 0) this.exit(exitCodes.failed);
    if (outcomes.some(({ summary }) => isPartial(summary))) this.exit(exitCodes.partial);
  }
}
