import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readFilter } from '../../src/show/filter.js';
import { type ShowOptions, show, showInputs } from '../../src/show/show.js';
import { fixtures } from '../helpers/corpus.js';
import { memorySink } from '../helpers/sinks.js';

const capture = join(fixtures, 'incident.scap');

type ShownRow = Record<string, string | number | boolean | null> & {
  opflags: string[] | null;
  openflags: string[] | null;
};

async function rowsOf(
  options: ShowOptions,
  table: Parameters<typeof show>[1] = 'sysflow',
): Promise<ShownRow[]> {
  const sink = memorySink();
  await show(showInputs([capture]), table, 'jsonl', sink, options);
  return sink
    .text()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const text = (value: unknown) => (value === null ? '' : String(value));
const has = (list: string[] | null, ...names: string[]) =>
  list?.some((name) => names.includes(name)) ?? false;

/** A condition, and what it means for a row. */
const conditions: [condition: string, holds: (row: ShownRow) => boolean][] = [
  ['type = FF', (row) => row.type === 'FF'],
  ['sf.type != FF', (row) => row.type !== 'FF'],
  ['not sf_type = FF', (row) => row.type !== 'FF'],
  ['proc.exe endswith sh', (row) => text(row.proc_exe).endsWith('sh')],
  ['proc.exe startswith /usr', (row) => text(row.proc_exe).startsWith('/usr')],
  ["proc.args contains '-'", (row) => text(row.proc_args).includes('-')],
  ['proc.cmdline icontains "BIN"', (row) => /bin/i.test(text(row.proc_cmdline))],
  ['proc.uid = 0', (row) => row.proc_uid === 0],
  ['proc.uid != 0', (row) => row.proc_uid !== 0],
  ['ret < 0', (row) => Number(row.ret ?? 0) < 0],
  ['ret = -2', (row) => row.ret === -2],
  ['ret >= -2 and ret <= -1', (row) => row.ret === -2 || row.ret === -1],
  ['flow.wbytes > 100', (row) => Number(row.flow_wbytes ?? 0) > 100],
  ['flow.wbytes <= 100', (row) => row.flow_wbytes !== null && Number(row.flow_wbytes) <= 100],
  ['proc.tty = true', (row) => row.proc_tty === true],
  ['proc.tty = 0', (row) => row.proc_tty === false],
  ['opflags = OPEN', (row) => has(row.opflags, 'OPEN')],
  ['opflags in (READ, EXIT)', (row) => has(row.opflags, 'READ_RECV', 'EXIT')],
  ['opflags != READ_RECV', (row) => !has(row.opflags, 'READ_RECV')],
  ['opflags contains RECV', (row) => has(row.opflags, 'READ_RECV')],
  ['evt.type = SEND', (row) => has(row.opflags, 'WRITE_SEND')],
  ['file.openflags = O_CREAT', (row) => has(row.openflags, 'O_CREAT')],
  ['file.is_open_write = true', (row) => row.file_is_open_write === true],
  ['file.path exists', (row) => row.file_path !== null],
  ['not net.dip exists', (row) => row.net_dip === null],
  ['net.ip = 127.0.0.1', (row) => row.net_sip === '127.0.0.1' || row.net_dip === '127.0.0.1'],
  ['net.port > 1000', (row) => Number(row.net_sport) > 1000 || Number(row.net_dport) > 1000],
  ['file.type in (f, d)', (row) => row.file_type === 'f' || row.file_type === 'd'],
  ['file.path pmatch (etc, tmp)', (row) => /etc|tmp/.test(text(row.file_path))],
  ['proc.exe = pproc.exe', (row) => text(row.proc_exe) === text(row.pproc_exe)],
  [
    'proc.pid > pproc.pid',
    (row) => row.pproc_pid !== null && Number(row.proc_pid) > Number(row.pproc_pid),
  ],
  ['proc.exe = "proc.exe"', (row) => row.proc_exe === 'proc.exe'],
  [
    'proc.args = "" or proc.exe = ""',
    (row) => text(row.proc_args) === '' || text(row.proc_exe) === '',
  ],
  ['proc.args = "a,b"', (row) => row.proc_args === 'a,b'],
  [
    'type = PE and (opflags = EXEC or opflags = EXIT) and not proc.exe endswith sh',
    (row) =>
      row.type === 'PE' && has(row.opflags, 'EXEC', 'EXIT') && !text(row.proc_exe).endsWith('sh'),
  ],
  ['ts < "1971-01-01"', () => false],
  ['ts >= "1971-01-01T00:00:00.5Z"', () => true],
];

describe('conditions', () => {
  let rows: ShownRow[];
  beforeAll(async () => {
    rows = await rowsOf({});
  });

  it.each(conditions)('%s', async (condition, holds) => {
    const found = await rowsOf({ filter: readFilter(condition, undefined) });
    expect(found).toEqual(rows.filter(holds));
  });

  it('find what they look for', () => {
    const matched = conditions.filter(([, holds]) => rows.some(holds)).length;
    expect(matched).toBeGreaterThan(25);
  });

  it('know ancestors that rows do not show', async () => {
    const root = rows[0] as ShownRow;
    for (const condition of [`proc.apid = ${root.proc_pid}`, `proc.aname = ${root.proc_name}`]) {
      const found = await rowsOf({ filter: readFilter(condition, undefined) });
      const near = rows.filter(({ proc_pid, pproc_pid }) =>
        [proc_pid, pproc_pid].includes(root.proc_pid as number),
      );
      expect(found.length).toBeGreaterThan(near.length);
      expect(found).toEqual(expect.arrayContaining(near));
    }
  });

  it('select rows of one table', async () => {
    const filter = readFilter('proc.exe exists and file.path exists', undefined);
    const found = await rowsOf({ filter }, 'file_event');
    expect(found.map(({ idx }) => idx)).toEqual(
      rows
        .filter(
          ({ type, proc_exe, file_path }) =>
            type === 'FE' && proc_exe !== null && file_path !== null,
        )
        .map(({ idx }) => idx),
    );
    expect(await rowsOf({ filter }, 'process_event')).toEqual([]);
  });

  it('read only what is printed', async () => {
    const columns = [{ label: 'sf.proc.exe', column: 'proc_exe' }];
    const found = await rowsOf({ columns, filter: readFilter('type = PE', undefined) });
    expect(found).toEqual(
      rows.filter(({ type }) => type === 'PE').map(({ proc_exe }) => ({ 'sf.proc.exe': proc_exe })),
    );
  });

  it.each([
    ['proc.exee = x', "--filter: 'proc.exee' is not an attribute; did you mean 'proc.exe'?"],
    ['proc.exe', "--filter: expected an operator after 'proc.exe', such as proc.exe exists"],
    [
      'proc.exe = ',
      '--filter, column 12: expected an attribute or a value, found the end of the condition',
    ],
    ['proc.exe = x y', "--filter, column 14: expected 'and', 'or' or the end, found 'y'"],
    ['(proc.exe = x', "--filter, column 14: expected ')'"],
    ['proc.exe = "x', '--filter, column 12:'],
    ['proc.exe in (a, [b])', '--filter, column 17:'],
    ['proc.uid = root', "--filter: expected a number, found 'root'"],
    ['proc.exe > x', "--filter: expected a number, found 'x'"],
    ['proc.tty = maybe', "--filter: expected true or false, found 'maybe'"],
    ['ts > yesterday', '--filter: expected a time in UTC'],
    ['proc.uid[0] = 1', "--filter: 'proc.uid' has no members"],
    ['proc.tty = constructor', '--filter: expected true or false'],
  ])('are refused: %s', (condition, message) => {
    expect(() => readFilter(condition, undefined)).toThrow(message);
  });

  it('may have many parts and quotes', async () => {
    const many = Array.from({ length: 2000 }, (_, n) => `proc.exe = "it's ${n}"`).join(' or ');
    expect(await rowsOf({ filter: readFilter(many, undefined) })).toEqual([]);
  });
});

describe('conditions of the processor', () => {
  const compat = 'sysflow-0.7';
  let rows: ShownRow[];
  beforeAll(async () => {
    rows = await rowsOf({ compat });
  });

  it.each<[string, (row: ShownRow) => boolean]>([
    ['sf.type = FF', (row) => row.type === 'FF'],
    // Without the prefix of policies, as sysprint allows.
    ['file.type = f', (row) => row.file_type === 'f'],
    // The next quotes end the text, so both checks are one text.
    ['proc.args = "" or proc.exe = ""', () => false],
    // Texts are split at commas.
    ['sf.type = "PE,FE"', (row) => row.type === 'PE' || row.type === 'FE'],
    // Words that are no attributes are texts.
    ['nothing.such = nothing.such', () => true],
    // Undefined macros are never true.
    ['some_macro', () => false],
    // Connections receive, files are read.
    ['sf.opflags = RECV', (row) => row.type === 'NF' && has(row.opflags, 'READ_RECV')],
  ])('%s', async (condition, holds) => {
    const found = await rowsOf({ compat, filter: readFilter(condition, compat) });
    expect(found.map(({ idx }) => idx)).toEqual(rows.filter(holds).map(({ idx }) => idx));
  });

  it('know ancestors', async () => {
    const root = rows[0]?.proc_pid;
    const filter = readFilter(`sf.proc.apid = ${root}`, compat);
    expect((await rowsOf({ compat, filter })).length).toBeGreaterThan(
      rows.filter(({ proc_pid, pproc_pid }) => proc_pid === root || pproc_pid === root).length,
    );
  });

  it('cannot use what tables lack', () => {
    expect(() => readFilter('sf.proc.oid = 1', compat)).toThrow(
      '--filter: tables do not contain sf.proc.oid',
    );
  });
});
