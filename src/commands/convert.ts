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
import { exitCodes, explain } from '../cli/report.js';
import { refuseTerminalInput } from '../cli/standard-input.js';
import { type Outcome, summaryJson, summaryText } from '../cli/summary.js';
import { runConversion } from '../convert/convert.js';
import { timestampUnits } from '../duckdb/sql-text.js';
import { tables } from '../engine/columns.gen.js';
import { convertFormats, planConversions } from '../export/plan.js';
import { singleInputs } from '../query/inputs.js';

const tableNames = tables.map((table) => table.name);

export default class Convert extends Command {
  static override summary = 'Convert captures, SysFlow files and tables into each other.';

  static override description =
    `Reads system-call captures (.scap, plain or gzip), SysFlow files (.sf) and tables (.parquet, .arrow) and writes their records: as a SysFlow file (avro), as tables (parquet, arrow, jsonl, csv), or as a DuckDB database (duckdb). Without -o the tables go to NAME.sysflow/ in the working directory, one file per table. An existing output of that name is replaced.

A directory of tables is one input; a directory of captures and SysFlow files is one input per file. A SysFlow file can be rebuilt from tables; sfkit counts the data that they lack.

Exit code: 0 done, 1 failed, 2 usage error, 3 an input is damaged; everything readable was written.`;

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
    format: Flags.option({ char: 'f', options: convertFormats })({
      helpValue: convertFormats.join('|'),
      description: 'output format (default: from the extension of -o, else parquet)',
    }),
    output: Flags.string({
      char: 'o',
      helpValue: 'PATH',
      description:
        'a file, a directory (ending in /), or - for standard output (default: NAME.sysflow/, for avro NAME.sf, for duckdb NAME.duckdb)',
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
    json: Flags.boolean({ description: 'print the summary as JSON' }),
    ...collectorFlags,
  };

  override async run(): Promise<void> {
    const { argv, flags, metadata } = await this.parse(Convert);
    refuseTerminalInput(argv as string[]);
    const inputs = singleInputs(argv as string[]);
    refuseForRecords(
      givenCollectorFlags(flags, metadata.flags),
      inputs.map(({ path, tables }) => ({ path, isTable: tables !== undefined })),
    );
    const plan = planConversions(
      inputs.map(({ path }) => path),
      flags.format,
      flags.output,
    ).map((conversion) => withTimestamps(conversion, flags.timestamps));
    const first = plan[0];
    refuseWrongOutput(first, flags.table);
    const toStdout = first?.shape === 'stdout';
    const collector = inputs.every(({ tables }) => tables !== undefined)
      ? {}
      : collectorOptions(flags);
    const outcomes: Outcome[] = [];
    let failed = 0;
    for (const [index, conversion] of plan.entries()) {
      const start = process.hrtime.bigint();
      try {
        const options = { ...collector, table: flags.table, tables: inputs[index]?.tables };
        const summary = await runConversion(conversion, options);
        outcomes.push({
          conversion,
          summary,
          seconds: Number(process.hrtime.bigint() - start) / 1e9,
        });
      } catch (error) {
        // Convert the other inputs anyway.
        if (plan.length === 1) throw error;
        failed += 1;
        process.stderr.write(`sfkit: ${explain(error).message}\n`);
        continue;
      }
      if (!flags.json) process.stderr.write(summaryText(outcomes.at(-1) as Outcome));
    }
    if (flags.json) (toStdout ? process.stderr : process.stdout).write(summaryJson(outcomes));
    if (failed > 0) this.exit(exitCodes.failed);
    if (outcomes.some(({ summary }) => summary.damage.length > 0)) this.exit(exitCodes.partial);
  }
}
