import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { inputName, isStreamInput, looksLikeCapture } from '../../engine/input-kind.js';
import { openLines } from '../../engine/session.js';
import { type QueryInput, resolveInputs } from '../../query/inputs.js';
import type { ReadingOptions } from '../language.js';

// Data about exec calls that captures have and SysFlow records lack: separate arguments, including
// argv[0], and the login uid.

/** Exec calls, by the time and thread of their rows. */
export const callsTable = 'sfkit_check_calls';

/** The fields of an event line that are used here. */
interface ExecLine {
  'thread.tid': number;
  args: { exe?: Argument; args?: Argument; loginuid?: Argument };
}

interface Argument {
  raw: string | number | { base64: string } | null;
}

/**
 * Creates the table of calls. False if the input lacks them: it is a SysFlow file or tables, or can
 * be read only once.
 */
export async function prepareCalls(
  connection: DuckDBConnection,
  input: string,
  options: ReadingOptions,
): Promise<boolean> {
  await connection.run(
    `CREATE TEMP TABLE ${callsTable} (filename VARCHAR, ts_uts BIGINT, tid BIGINT, argv VARCHAR[], loginuid BIGINT)`,
  );
  const inputs = resolveInputs([input]);
  const captures = inputs.filter(isCaptureFile);
  for (const capture of captures) await loadCalls(connection, capture, options);
  return captures.length === inputs.length;
}

function isCaptureFile({ kind, path }: QueryInput): boolean {
  return kind === 'engine' && !isStreamInput(path) && looksLikeCapture(path);
}

async function loadCalls(
  connection: DuckDBConnection,
  { path, shownAs }: QueryInput,
  options: ReadingOptions,
): Promise<void> {
  const { LIST, VARCHAR } = await import('@duckdb/node-api');
  const filename = shownAs ?? basename(inputName(path));
  const session = openLines({
    ...options,
    input: path,
    kind: 'capture',
    filter: 'evt.type in (execve, execveat) and evt.rawres = 0',
    lineFormat: 'json',
  });
  const appender = await connection.createAppender(callsTable, undefined, 'temp');
  for await (const bytes of session) {
    for (const line of Buffer.from(bytes).toString('utf8').trimEnd().split('\n')) {
      const { 'thread.tid': tid, args } = JSON.parse(line) as ExecLine;
      // Too many digits for a JavaScript number.
      const [, time] = /"evt\.rawtime":(\d+)/.exec(line) ?? [];
      if (time === undefined || args.exe === undefined) continue;
      appender.appendVarchar(filename);
      appender.appendBigInt(BigInt(time));
      appender.appendBigInt(BigInt(tid));
      appender.appendList([textOf(args.exe), ...argumentsOf(args.args)], LIST(VARCHAR));
      const login = args.loginuid?.raw;
      // Without a login, the column stays null.
      if (typeof login === 'number' && login !== noLogin) appender.appendBigInt(BigInt(login));
      else appender.appendNull();
      appender.endRow();
    }
  }
  appender.closeSync();
}

const noLogin = 2 ** 32 - 1;

function textOf({ raw }: Argument): string {
  if (raw === null) return '';
  return typeof raw === 'object' ? Buffer.from(raw.base64, 'base64').toString('utf8') : String(raw);
}

/** Splits arguments, each of which ends with a NUL. */
function argumentsOf(argument: Argument | undefined): string[] {
  const text = argument === undefined ? '' : textOf(argument);
  if (text === '') return [];
  return (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0');
}

/**
 * SELECT of rows with the columns of their calls. Rows without a call get arguments split at
 * spaces.
 */
export function withCalls(rows: string): string {
  const known = `SELECT filename, ts_uts, tid, any_value(argv) AS argv, any_value(loginuid) AS loginuid FROM ${callsTable} GROUP BY ALL`;
  const parted = `[proc_name] || CASE WHEN proc_args = '' THEN [] ELSE string_split(proc_args, ' ') END`;
  return `SELECT plain.*, coalesce(calls.argv, ${parted}) AS proc_argv, calls.loginuid AS proc_loginuid
    FROM (${rows}) plain LEFT JOIN (${known}) calls
    ON plain.filename = calls.filename AND plain.ts_uts = calls.ts_uts AND plain.proc_tid = calls.tid`;
}

/** SELECT of rows with the same columns, without any calls. */
export function withoutCalls(rows: string): string {
  return `SELECT *, CAST(NULL AS VARCHAR[]) AS proc_argv, CAST(NULL AS BIGINT) AS proc_loginuid FROM (${rows})`;
}
