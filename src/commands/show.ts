import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { drawFlags, drawOptions, outputFlag } from '../cli/draw-flags.js';
import { readOne } from '../cli/inputs.js';
import { refuseInputAsOutput } from '../cli/output-checks.js';
import { standardOutput } from '../cli/pager.js';
import { exitCodes } from '../cli/report.js';
import { damageText, noteText } from '../cli/summary.js';
import { drawn } from '../draw/drawing.js';
import { standardScreen } from '../draw/screen.js';
import { type TableName, tableColumns, tables } from '../engine/columns.gen.js';
import { compatModes } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { csvText, jsonDocument } from '../export/values.js';
import { type ByteSink, openSink } from '../output/sink.js';
import { listedAttributes, type Selected, selectedColumns } from '../show/attributes.js';
import { readFilter } from '../show/filter.js';
import { allColumns, drawnColumns, hasConditions, show, showInputs } from '../show/show.js';
import { type ShowFormat, showFormats } from '../show/writers.js';

const tableNames = tables.map((table) => table.name);

export default class Show extends Command {
  static override summary = 'Print the records of SysFlow files.';

  static override description =
    `Prints events and flows, or another table, of SysFlow files, captures, tables (.parquet, .arrow) and directories of these. Rows of several inputs come in the order of time; the rows of one input keep their order. The drawn table has the most informative columns; the other formats have every column. -c selects columns. On a terminal the table is fitted to the width; in a file or pipe nothing is cut.

Attributes have the names of SysFlow: proc.exe, sf.proc.exe and proc_exe are the same. -l lists them.

A filter is a condition of the SysFlow query language: checks such as proc.exe = /bin/sh, joined by and, or, not and parentheses. Operators: = != < <= > >= contains icontains startswith endswith in pmatch exists. A check of a list, such as opflags, is true if it is true for one element.

Formats: json is one array; jsonl has one object per line; flatjson and nestedjson too, with the names of sysprint as keys ("proc.exe") or as objects in objects.

Exit code: 0 done, 1 failed, 2 usage error, 3 the file is damaged; everything readable was printed.`;

  static override examples = [
    { description: 'Events and flows', command: '<%= config.bin %> show capture.sf' },
    {
      description: 'What programs wrote, of all files of a directory',
      command:
        '<%= config.bin %> show flows/ -c ts,proc.exe,file.path,flow.wbytes --filter "flow.wbytes > 0"',
    },
    {
      description: 'The processes, one JSON object per line',
      command: '<%= config.bin %> show capture.sf --table process --format jsonl',
    },
    { description: 'The attributes for -c and --filter', command: '<%= config.bin %> show -l' },
  ];

  static override strict = false;

  static override args = {
    file: Args.string({
      description:
        'SysFlow files (schema versions 1000 to 5; plain, deflate or snappy), captures, tables, or directories of these',
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
    columns: Flags.string({
      char: 'c',
      helpValue: 'NAME,NAME',
      exclusive: ['all-columns', 'pods'],
      description: 'attributes to print, in this order, instead of the columns of the format',
    }),
    'all-columns': Flags.boolean({
      char: 'A',
      exclusive: ['pods'],
      description: 'draw every column',
    }),
    pods: Flags.boolean({ char: 'k', description: 'draw the names of pods too' }),
    'k8s-events': Flags.boolean({
      char: 'K',
      exclusive: ['table'],
      description: 'print the changes in a cluster (--table k8s_event)',
    }),
    filter: Flags.string({
      helpValue: 'CONDITION',
      description: 'print only events and flows for which the condition is true',
    }),
    compat: Flags.option({ options: compatModes })({
      helpValue: compatModes.join('|'),
      description:
        'read captures as the collector does, and conditions as the SysFlow processor does, with their known bugs',
    }),
    attributes: Flags.boolean({ char: 'l', description: 'list the attributes with their meaning' }),
    output: outputFlag,
    ...drawFlags,
  };

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(Show);
    const files = argv as string[];
    const isStandardOutput = flags.output === '-';
    const open = () => (isStandardOutput ? standardOutput(flags) : openSink(flags.output));
    if (flags.attributes) {
      if (files.length > 0)
        throw new SfkitError('INVALID_ARGUMENT', '-l lists attributes and takes no file');
      return printAttributes(open(), flags.format, isStandardOutput);
    }
    if (files.length === 0) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        'name a SysFlow file, a capture, tables or a directory of these',
      );
    }
    const table = flags['k8s-events'] ? 'k8s_event' : flags.table;
    if (flags.filter !== undefined && !hasConditions(table)) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        `--filter: conditions are about events and flows, and the table ${table} has none`,
      );
    }
    const options = {
      ...drawOptions(flags, isStandardOutput),
      rows: flags.rows,
      columns: this.#columns(table, flags),
      filter: flags.filter === undefined ? undefined : readFilter(flags.filter, flags.compat),
      compat: flags.compat,
    };
    const inputs = showInputs(files);
    refuseInputAsOutput(
      inputs.map(({ path }) => path),
      flags.output,
    );
    let hasFailed = false;
    const shown = await show(inputs, table, flags.format, open(), {
      ...options,
      each: async (read) => {
        const result = await readOne(inputs.length > 1, read);
        if (result === undefined) hasFailed = true;
        return result;
      },
    });
    for (const { input, summary } of shown) process.stderr.write(noteText(input, summary));
    for (const { input, summary } of shown) process.stderr.write(damageText(input, summary));
    if (hasFailed) this.exit(exitCodes.failed);
    if (shown.some(({ summary }) => summary.damage.length > 0)) this.exit(exitCodes.partial);
  }

  #columns(
    table: TableName,
    flags: {
      columns?: string | undefined;
      'all-columns': boolean;
      pods: boolean;
      format: ShowFormat;
    },
  ): Selected[] {
    const names = new Set(tableColumns[table].map(({ name }) => name));
    if (flags.columns !== undefined)
      return selectedColumns(flags.columns, (column) => names.has(column));
    return flags['all-columns'] || flags.format !== 'table'
      ? allColumns(table)
      : drawnColumns(table, flags.pods);
  }
}

async function printAttributes(
  sink: ByteSink,
  format: ShowFormat,
  isStandardOutput: boolean,
): Promise<void> {
  await sink.write(attributeText(format, isStandardOutput));
  await sink.close();
}

function attributeText(format: ShowFormat, isStandardOutput: boolean): string {
  const listed = listedAttributes();
  const head = ['attribute', 'column', 'type', 'meaning'] as const;
  switch (format) {
    case 'table':
      return drawn(
        head.map((name) => ({ name, long: 'wrap' as const })),
        listed.map((one) => head.map((name) => one[name])),
        isStandardOutput ? standardScreen() : undefined,
      );
    case 'json':
      return jsonDocument(listed);
    case 'csv': {
      const rows = listed.map((one) => head.map((name) => csvText(one[name] ?? '')).join(','));
      return [head.join(','), ...rows].map((line) => `${line}\r\n`).join('');
    }
    default:
      return listed.map((one) => `${JSON.stringify(one)}\n`).join('');
  }
}
