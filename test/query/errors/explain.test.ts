import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { views } from '../../../src/engine/columns.gen.js';
import { SfkitError, SqlError } from '../../../src/engine/errors.js';
import { type Dataset, openDataset } from '../../../src/query/dataset.js';
import { explained } from '../../../src/query/errors/explained.js';
import { declaredTables, timesOf } from '../../../src/query/errors/surroundings.js';
import { runQuery } from '../../../src/query/run.js';
import { fixtures } from '../../helpers/corpus.js';

// What people write, DuckDB's own errors about it, and what sfkit says: the message, the marked
// text and the hint.

let dataset: Dataset;
beforeAll(async () => {
  dataset = await openDataset(
    [join(fixtures, 'incident.scap')],
    'SELECT 1',
    {},
    { keepsOpen: true },
  );
});
afterAll(() => dataset.close());

const discarded = () => ({ write: async () => {}, close: async () => {}, discard: () => {} });

async function errorOf(sql: string, parameters = {}): Promise<SqlError> {
  try {
    await runQuery(dataset.connection, sql, 'csv', '-', { open: discarded, parameters });
  } catch (error) {
    return (await explained(error, sql, dataset)) as SqlError;
  }
  throw new Error(`no error: ${sql}`);
}

/** Puts the times of the capture into a hint: FIRST, LAST, and the DAY of the first. */
function withTimes(hint: string): string {
  const { first = '', last = '' } = timesOf(dataset.summaries) ?? {};
  const text = (time: string) => time.replace('T', ' ').replace('Z', '');
  return hint
    .replaceAll('FIRST', text(first))
    .replaceAll('LAST', text(last))
    .replaceAll('DAY', first.slice(0, 10));
}

/** The text at the mark of the picture, up to the next blank. */
function marked(details: readonly string[]): string | undefined {
  const place = details.findIndex((line) => /^ *\^$/.test(line));
  if (place < 0) return undefined;
  const column = (details[place] as string).length - 1;
  return /^\S*/.exec((details[place - 1] as string).slice(column))?.[0];
}

const times = '(the input is from FIRST to LAST)';
const tableList = `tables: ${[...declaredTables(), ...views].map(({ name }) => name).join(', ')}`;

const cases: readonly [
  sql: string,
  message: string,
  mark: string | undefined,
  hint: string | undefined,
][] = [
  // Fields of filters and policies.
  [
    'select proc.exe from network_flow',
    "no column 'proc.exe'",
    'proc.exe',
    'network_flow has it as proc_exe',
  ],
  [
    'select sf.proc.exe from sysflow',
    "no column 'sf.proc.exe'",
    'sf.proc.exe',
    'sysflow has it as proc_exe',
  ],
  [
    'select SF.Net.DPort from sysflow',
    "no column 'SF.Net.DPort'",
    'SF.Net.DPort',
    'sysflow has it as net_dport',
  ],
  [
    'select evt.type, fd.name from events where fd = 3',
    "no column 'evt.type'",
    'evt.type,',
    'events has it as type',
  ],
  ['select fd.name from events', "no column 'fd.name'", 'fd.name', 'events has it as fd_name'],
  [
    'select fd.name from file_flow',
    "no column 'fd.name'",
    'fd.name',
    'file_flow has it as file_path',
  ],
  [
    'select fd.sip from network_flow',
    "no column 'fd.sip'",
    'fd.sip',
    'network_flow has it as net_dip',
  ],
  ['select evt.type from events', "no column 'evt.type'", 'evt.type', 'events has it as type'],
  ['select evt.type from sysflow', "no column 'evt.type'", 'evt.type', 'sysflow has it as opflags'],
  ['select proc.pid from processes', "no column 'proc.pid'", 'proc.pid', 'processes has it as pid'],
  [
    'select 1 from process where user.name = 1',
    "no column 'user.name'",
    'user.name',
    'process has it as proc_user',
  ],
  [
    'select "proc.exe" from process',
    "no column 'proc.exe' in process",
    '"proc.exe"',
    'process has it as proc_exe',
  ],
  [
    'select evt.latency from process',
    "no column 'evt.latency'",
    'evt.latency',
    'the column is latency of events, calls, dns and http',
  ],
  // Lists.
  [
    "from sysflow where opflags = 'EXEC'",
    'opflags is a list, not a text',
    "'EXEC'",
    "list_contains(opflags, 'EXEC')",
  ],
  [
    "from sysflow where 'exec' = opflags",
    'opflags is a list, not a text',
    "'exec'",
    "list_contains(opflags, 'EXEC')",
  ],
  [
    "from sysflow s where s.opflags != 'EXEC'",
    's.opflags is a list, not a text',
    "'EXEC'",
    "not list_contains(s.opflags, 'EXEC')",
  ],
  [
    "from sysflow where opflags in ('EXEC', 'OPEN') and ret = 0",
    'opflags is a list, not a text',
    "('EXEC',".slice(1),
    "list_has_any(opflags, ['EXEC', 'OPEN'])",
  ],
  [
    "from sysflow where opflags not in ('EXEC', 'OPEN')",
    'opflags is a list, not a text',
    "'EXEC',",
    "not list_has_any(opflags, ['EXEC', 'OPEN'])",
  ],
  [
    "from sysflow where opflags like '%EXEC%'",
    'opflags is a list, not a text',
    'like',
    "list_contains(opflags, 'EXEC')",
  ],
  [
    "from sysflow where opflags not like '%exec%'",
    'opflags is a list, not a text',
    'not',
    "not list_contains(opflags, 'EXEC')",
  ],
  [
    'select upper(opflags) from sysflow',
    'opflags is a list, not a text',
    'upper(opflags)',
    "list_contains(opflags, 'EXEC')",
  ],
  [
    'from sysflow where list_contains(opflags, EXEC)',
    "no column 'EXEC' in sysflow",
    'EXEC)',
    "names are texts: list_contains(opflags, 'EXEC')",
  ],
  // Times.
  [
    "from sysflow where ts > '10:00'",
    "'10:00' has no date",
    "'10:00'",
    `ts > 'DAY 10:00' ${times}`,
  ],
  [
    "from sysflow where '9:30:01' <= ts",
    "'9:30:01' has no date",
    "'9:30:01'",
    `ts >= 'DAY 09:30:01' ${times}`,
  ],
  [
    "from sysflow where ts between '10:00' and '10:05'",
    "'10:00' has no date",
    "'10:00'",
    `ts between 'DAY 10:00' and 'LAST' ${times}`,
  ],
  [
    "from sysflow where ts > 'noon'",
    "'noon' is not a time in UTC",
    "'noon'",
    `ts > 'FIRST' ${times}`,
  ],
  [
    'from sysflow where ts > 1772445603',
    'ts is a time, and 1772445603 is a number',
    '1772445603',
    `ts_uts is the time in ns since 1970; or ts > 'FIRST' ${times}`,
  ],
  [
    "from sysflow where ts > time '10:00'",
    'the value is not a time in UTC',
    'time',
    `ts > 'FIRST' ${times}`,
  ],
  [
    "select ts - '5 s' from sysflow",
    'ts is a time, and needs an interval',
    '-',
    "ts - interval '5 seconds'",
  ],
  [
    'select ts + 5 from sysflow',
    'ts is a time, and needs an interval',
    '+',
    "ts + interval '5 seconds'",
  ],
  // Numbers.
  [
    "from process where proc_pid = 'bash'",
    "proc_pid is a number, and 'bash' is not",
    "'bash'",
    'texts are in proc_user, proc_group, proc_exe',
  ],
  [
    "from file_event where ret = 'ENOENT'",
    "ret is a number, and 'ENOENT' is not",
    "'ENOENT'",
    "the table events has the names of errors: where error = 'ENOENT'",
  ],
  [
    'from file_event where ret = -EPERM',
    "no column 'EPERM' in file_event",
    'EPERM',
    "the table events has the names of errors: where error = 'EPERM'",
  ],
  // Tables.
  ['from netflow', "no table 'netflow'", 'netflow', `did you mean network_flow? ${tableList}`],
  [
    'select 1 from procs',
    "no table 'procs'",
    'procs',
    `did you mean process, processes or process_flow? ${tableList}`,
  ],
  ['from event', "no table 'event'", 'event', `did you mean events? ${tableList}`],
  ['from zzz', "no table 'zzz'", 'zzz', tableList],
  ['describe netflow', "no table 'netflow'", 'netflow', `did you mean network_flow? ${tableList}`],
  // Columns.
  [
    'select prok_exe from sysflow',
    "no column 'prok_exe' in sysflow",
    'prok_exe',
    'did you mean proc_exe?',
  ],
  [
    'select procexe from process',
    "no column 'procexe' in process",
    'procexe',
    'did you mean proc_exe?',
  ],
  [
    'select s.prok_exe from sysflow s',
    "no column 'prok_exe' in s",
    'prok_exe',
    'did you mean s.proc_exe?',
  ],
  [
    'select net_dport from process',
    "no column 'net_dport' in process",
    'net_dport',
    'network_event, network_flow, sysflow and connection_flows have it',
  ],
  [
    'select p.net_dport from process p',
    "no column 'net_dport' in p",
    'net_dport',
    'network_event, network_flow, sysflow and connection_flows have it',
  ],
  [
    'select fd_nam from process',
    "no column 'fd_nam' in process",
    'fd_nam',
    'events, calls and http: fd_name',
  ],
  [
    'select qqqq from process',
    "no column 'qqqq' in process",
    'qqqq',
    '"describe process" lists its columns',
  ],
  [
    'from process where proc_exe = "/bin/sh"',
    "no column '/bin/sh' in process",
    '"/bin/sh"',
    "a text has single quotes: '/bin/sh'",
  ],
  [
    'select proc_exe',
    "no column 'proc_exe': the statement has no FROM",
    'proc_exe',
    'from process_event select proc_exe',
  ],
  [
    'select x.proc_exe from process p',
    "no table or alias 'x' in the statement",
    'x.proc_exe',
    'the statement has process and p',
  ],
  [
    'from process p join network_flow n on true where proc_exe is null',
    "the column 'proc_exe' is in several tables",
    'proc_exe',
    'write p.proc_exe or n.proc_exe',
  ],
  [
    'select proc_exe, count(*) from process',
    "the column 'proc_exe' is neither grouped nor aggregated",
    'proc_exe,',
    'add GROUP BY ALL at the end',
  ],
  [
    'select proc_exe, count(*) from process group by proc_pid',
    "the column 'proc_exe' is neither grouped nor aggregated",
    'proc_exe,',
    'add it to GROUP BY, or write any_value(proc_exe)',
  ],
  // Functions and values.
  [
    'select lenght(proc_exe) from process',
    "no function 'lenght'",
    'lenght(proc_exe)',
    'did you mean length?',
  ],
  ['select qqqqq(1)', "no function 'qqqqq'", 'qqqqq(1)', undefined],
  ["select cast('1' as integr)", "no type 'integr'", 'integr)', 'did you mean integer?'],
  [
    'from process where proc_pid = $pid',
    'no value for $pid',
    '$pid',
    'start with --param pid=VALUE',
  ],
  // Syntax.
  ['network_flow', 'syntax error at network_flow', 'network_flow', 'from network_flow'],
  [
    'network_flow where net_dport = 80',
    'syntax error at network_flow',
    'network_flow',
    'from network_flow where net_dport = 80',
  ],
  ['netflow', 'syntax error at netflow', 'netflow', 'did you mean from network_flow?'],
  ['selec 1', 'syntax error at selec', 'selec', 'did you mean select?'],
  ['slect proc_exe from process', 'syntax error at slect', 'slect', 'did you mean select?'],
  ['select * form process', 'syntax error at process', 'form', 'did you mean from?'],
  ['select 1 from process whre 1 = 1', 'syntax error at 1', 'whre', 'did you mean where?'],
  [
    "select 'abc from process",
    "the closing ' is missing",
    "'abc",
    "a ' within a text is doubled: 'it''s'",
  ],
  [
    "from process where proc_exe = 'it's'",
    'syntax error at s',
    "s'",
    "a ' within a text is doubled: 'it''s'",
  ],
  [
    'select * from "abc',
    'the closing " is missing',
    '"abc',
    "a name has double quotes, a text single ones: 'text'",
  ],
  ['select $$abc', 'the closing $$ is missing', '$$abc', 'a text ends as it starts'],
  ['select 1 /* abc', 'the end of the comment is missing: */', '/*', undefined],
  [
    'from process where proc_exe = /bin/sh',
    'syntax error at /',
    '/bin/sh',
    "a text has single quotes: '/bin/sh'",
  ],
  ['select (1', 'the statement is incomplete: it ends after 1', '1', 'a ) is missing'],
  [
    'select 1 from process where',
    'the statement is incomplete: it ends after where',
    'where',
    undefined,
  ],
  ['select 1)', 'syntax error at )', ')', 'this ) has no ('],
  ['select proc_exe, from', 'the statement is incomplete: it ends after from', 'from', undefined],
  [
    "from process where proc_exe contains 'sh'",
    'syntax error at contains',
    'contains',
    "contains(proc_exe, 'sh')",
  ],
  [
    "from process where proc_exe startswith '/bin'",
    'syntax error at startswith',
    'startswith',
    "starts_with(proc_exe, '/bin')",
  ],
];

describe('an error in SQL', () => {
  it.each(cases)('%s', async (sql, message, mark, hint) => {
    const error = await errorOf(sql);
    expect(error).toBeInstanceOf(SqlError);
    expect(error.message).toBe(message);
    expect(marked(error.details)).toBe(mark);
    expect(error.details.find((line) => line.startsWith('  hint: '))).toBe(
      hint === undefined ? undefined : `  hint: ${withTimes(hint)}`,
    );
  });

  it('each hint about a comparison is SQL that runs', async () => {
    const comparisons = cases.filter(([, message]) =>
      /is a list|has no date|is not a time|needs an interval/.test(message),
    );
    expect(comparisons.length).toBeGreaterThan(10);
    for (const [sql, , , hint] of comparisons) {
      if (hint === undefined) continue;
      const own = /\bs\./.test(sql) ? 'sysflow s' : 'sysflow';
      const condition = withTimes(hint).replace(/ \(the input is .*\)$/, '');
      await dataset.connection.run(`select ${condition} from ${own}`);
    }
  });

  it('shows the line of SQL with several, and the column after wide characters and tabs', async () => {
    const sql = "select 1;\nselect\n\t'漢字é' as a, nope\nfrom process";
    expect((await errorOf(sql)).details.slice(0, 2)).toEqual([
      "  3 |  '漢字é' as a, nope",
      `${' '.repeat(21)}^`,
    ]);
  });

  it('shows the part of a long line around the place', async () => {
    const sql = `select ${'1, '.repeat(500)}nope, ${'2, '.repeat(500)}3 from process`;
    const { details } = await errorOf(sql);
    expect(details[0]).toMatch(/^ {2}….*nope.*…$/);
    expect((details[0] as string).length).toBeLessThan(80);
    expect(marked(details)).toBe('nope,');
  });

  it('keeps other messages of DuckDB', async () => {
    expect((await errorOf("select error('own words')")).message).toBe(
      'Invalid Input Error: own words',
    );
    const { message, details } = await errorOf("select 'x'::int");
    expect(message).toBe("Conversion Error: Could not convert string 'x' to INT32");
    expect(marked(details)).toBe('::int');
  });

  it('other errors stay as they are', async () => {
    const error = new SfkitError('INPUT_NOT_FOUND', 'x: no such file');
    expect(await explained(error, 'select 1', dataset)).toBe(error);
  });
});
