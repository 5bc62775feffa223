import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { cacheFlags, openCache } from '../cli/cache-flags.js';
import {
  collectorFlags,
  collectorOptions,
  givenCollectorFlags,
  refuseForRecords,
} from '../cli/collector-flags.js';
import { drawFlags, drawOptions, refuseRows } from '../cli/draw-flags.js';
import { reportInputs } from '../cli/input-report.js';
import { standardOutput } from '../cli/pager.js';
import { sandboxFlags, sandboxOptions } from '../cli/sandbox-flags.js';
import { canRunShell, refuseTerminalInput } from '../cli/standard-input.js';
import { SfkitError } from '../engine/errors.js';
import type { Dataset } from '../query/dataset.js';
import { resultFormats, type TextFormat } from '../query/formats.js';
import { resolveInputs } from '../query/inputs.js';
import { shieldComment, splitArguments, takeQueryName } from '../query/sql-argument.js';

export default class Query extends Command {
  static override summary = 'Query captures, SysFlow files and tables in SQL.';

  static override description =
    `Opens captures (.scap), SysFlow files (.sf), tables (.parquet, .arrow) and directories of these as tables process_event, file_event, network_flow, file_flow, process_flow, k8s_event, process, file, container, pod and header, and as sysflow, the view of all events and flows. Captures also have the tables events (every system call and other event) and processes (every process, with start, end and exit code). Rows of several inputs are united. The SQL dialect is that of DuckDB.

The last argument is the SQL if it contains a blank and no file has that name. Otherwise the SQL comes from the file given with -q, or from standard input. Without SQL on a terminal, a shell starts: it reads the inputs once and answers statements until Ctrl-D; its command .help lists the others.

The argument @NAME runs a saved query instead; --list names them. Files NAME.sql in the directory $SFKIT_QUERIES (default: sfkit/queries in the user's configuration directory) are saved queries too.

A table on a terminal is fitted to the width: empty columns are left out, long texts are shortened, and rows that still do not fit become blocks of lines. In a file or pipe, every format contains everything.

Exit code: 0 done, 1 failed, 2 usage error, 3 an input is damaged or did not fit into --max-memory; the answer covers everything else.`;

  static override examples = [
    {
      description: 'Bytes sent per program',
      command:
        '<%= config.bin %> query capture.scap "select proc_exe, sum(flow_wbytes) as bytes from network_flow group by 1 order by 2 desc"',
    },
    {
      description: 'Over many conversions, as CSV',
      command:
        '<%= config.bin %> query tables/ "select * from process" --format csv -o processes.csv',
    },
    {
      description: 'A saved query',
      command: '<%= config.bin %> query @children capture.scap',
    },
    {
      description: 'SQL from a file',
      command: '<%= config.bin %> query capture.sf -q report.sql --format markdown',
    },
    { description: 'A shell for many statements', command: '<%= config.bin %> query capture.scap' },
    {
      description: 'SQL from standard input',
      command: "echo 'select count(*) from sysflow' | <%= config.bin %> query capture.sf",
    },
  ];

  static override strict = false;

  static override args = {
    input: Args.string({
      description:
        'captures (- for standard input), SysFlow files, tables or directories; then the SQL or @NAME',
    }),
  };

  static override flags = {
    query: Flags.string({ char: 'q', helpValue: 'FILE', description: 'file with the SQL' }),
    param: Flags.string({
      helpValue: 'NAME=VALUE',
      multiple: true,
      multipleNonGreedy: true,
      description: 'value for a parameter of a saved query, or for $NAME in the SQL; repeatable',
    }),
    list: Flags.boolean({ description: 'list the saved queries, or with @NAME show one' }),
    format: Flags.option({ char: 'f', options: resultFormats })({
      helpValue: resultFormats.join('|'),
      default: 'table',
      description: 'output format',
    }),
    output: Flags.string({
      char: 'o',
      helpValue: 'FILE',
      default: '-',
      description:
        'file to write, or - for standard output; NAME.duckdb becomes a database with the result as table "result" or, without SQL, with all tables',
    }),
    'no-history': Flags.boolean({
      description:
        'in the shell: neither read nor write the history ($SFKIT_HISTORY names its file)',
    }),
    ...drawFlags,
    ...sandboxFlags,
    ...cacheFlags,
    ...collectorFlags,
  };

  override async run(): Promise<void> {
    const { argv, flags, metadata } = await this.parse(Query, shieldComment(this.argv));
    const { name, rest } = takeQueryName(argv as string[]);
    if (flags.list) {
      const { showQueries } = await import('../cli/show-queries.js');
      return showQueries(name, flags);
    }
    if (name !== undefined && flags.query !== undefined)
      throw new SfkitError(
        'INVALID_ARGUMENT',
        `@${name} and -q: a saved query is the SQL, so give only one of them`,
      );
    const saved =
      name === undefined ? undefined : (await import('../query/saved/library.js')).findQuery(name);
    const isDatabase = /\.duckdb$/i.test(flags.output);
    if (isDatabase && metadata.flags.format?.setFromDefault !== true) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        `-o ${flags.output} writes a database, and --format names another format; leave out --format`,
      );
    }
    const { inputs, sql: argument } = splitArguments(
      rest,
      flags.query !== undefined || saved !== undefined,
      !isDatabase,
    );
    refuseTerminalInput(inputs);
    if (isBinary(flags.format) && flags.output === '-' && process.stdout.isTTY) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        `${flags.format} is binary and standard output is a terminal; redirect it or name a file with -o`,
      );
    }
    const isStandardOutput = flags.output === '-';
    const draw = drawOptions(flags, isStandardOutput);
    const limits = sandboxOptions(flags);
    const hasSql = saved !== undefined || argument !== undefined || flags.query !== undefined;
    const isWhole = isDatabase && !hasSql;
    if (isWhole) refuseRows({ format: 'duckdb', rows: flags.rows });
    const isShell = !isDatabase && !hasSql && canStartShell(flags);
    const kept = isWhole ? await import('../query/keep.js') : undefined;
    const keptTables = kept?.tablesToKeep(inputs, flags.filter !== undefined) ?? [];
    const sql =
      saved?.sql ??
      argument ??
      kept?.sqlOf(keptTables) ??
      (isShell ? 'SELECT 1' : await readSql(flags.query));
    if (sql.trim() === '')
      throw new SfkitError('INVALID_ARGUMENT', noSqlText(argument, flags.query));
    // Imported here, because loading DuckDB takes a while and --help does not need it.
    const { openDataset } = await import('../query/dataset.js');
    const { parameterValues } = await import('../query/saved/parameters.js');
    const { runQuery } = await import('../query/run.js');
    // openDataset() rejects a filter with better advice.
    const given = givenCollectorFlags(flags, metadata.flags).filter((name) => name !== 'filter');
    if (given.length > 0) {
      const found = resolveInputs(inputs).map(({ path, kind }) => ({
        path,
        isTable: kind !== 'engine',
      }));
      refuseForRecords(given, found);
    }
    const parameters = parameterValues(flags.param ?? [], saved);
    let dataset: Dataset | undefined;
    try {
      dataset = await openDataset(inputs, sql, collectorOptions(flags), {
        ...limits,
        // Without SQL there is nothing to keep away from the output.
        sandbox: limits.sandbox && !isWhole,
        parameters,
        cache: openCache(flags),
        keepsOpen: isShell,
        isOnly: !isShell && kept === undefined,
      });
      if (isShell) {
        const { runQueryShell } = await import('../cli/query-shell.js');
        await runQueryShell(dataset, {
          inputs,
          format: flags.format as TextFormat,
          limit: draw.limit,
          parameters,
          keepsHistory: !flags['no-history'],
          'no-pager': flags['no-pager'],
        });
      } else if (kept !== undefined) {
        await kept.keepTables(dataset.connection, keptTables, flags.output);
      } else {
        await runQuery(
          dataset.connection,
          sql,
          isDatabase ? 'duckdb' : flags.format,
          flags.output,
          {
            draw,
            rows: flags.rows,
            parameters,
            ...(isStandardOutput && { open: () => standardOutput(flags) }),
          },
        );
      }
    } catch (error) {
      const { explained } = await import('../query/errors/explained.js');
      throw await explained(error, sql, dataset);
    } finally {
      dataset?.close();
    }
    const code = reportInputs(dataset.summaries);
    if (code !== 0) this.exit(code);
  }
}

const isBinary = (format: string): boolean => format === 'parquet' || format === 'arrow';

/** Whether the shell starts if there is no SQL: for answers on a terminal. */
function canStartShell({ format, output }: { format: string; output: string }): boolean {
  return output === '-' && !isBinary(format) && canRunShell();
}

const howToGiveSql =
  'give it as the last argument, with -q FILE, or as @NAME (sfkit query --list lists the names)';

async function readSql(file: string | undefined): Promise<string> {
  if (file === undefined && process.stdin.isTTY) {
    throw new SfkitError('INVALID_ARGUMENT', `no SQL: ${howToGiveSql}`);
  }
  return file === undefined ? text(process.stdin) : readSqlFile(file);
}

function noSqlText(argument: string | undefined, file: string | undefined): string {
  if (argument !== undefined) return 'no SQL: the argument is empty';
  if (file !== undefined) return `no SQL: ${file} is empty`;
  return `no SQL: standard input is empty; ${howToGiveSql}, or start a shell on a terminal`;
}

function readSqlFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'it is a directory' : code;
    throw new SfkitError('INPUT_NOT_FOUND', `${file}: cannot read the SQL: ${reason}`, {
      cause: error,
    });
  }
}
