import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { argumentsOf, parseMoment } from '../../../src/query/capture-tables/moments.js';
import { findNeeds } from '../../../src/query/capture-tables/needs.js';
import { openDataset } from '../../../src/query/dataset.js';
import type { ParameterValues } from '../../../src/query/saved/parameters.js';
import { fixtures } from '../../helpers/corpus.js';
import { testDirectory } from '../../helpers/directory.js';
import { openAvro } from '../../helpers/sf.js';

const scratch = testDirectory();

const incident = join(fixtures, 'incident.scap');
const webserver = join(fixtures, 'webserver-2017.scap');
const newer = join(fixtures, 'webserver-2026.scap');
const captures = [webserver, newer];

async function ask(
  sql: string,
  inputs = [webserver],
  parameters: ParameterValues = {},
): Promise<unknown[][]> {
  const dataset = await openDataset(inputs, sql, {}, { parameters });
  try {
    const isFixed = Object.keys(parameters).length === 0;
    const { connection } = dataset;
    const result = await (isFixed
      ? connection.runAndReadAll(sql)
      : connection.runAndReadAll(sql, { ...parameters }));
    return result.getRowsJson() as unknown[][];
  } finally {
    dataset.close();
  }
}

/** Calls that give a process one more descriptor. */
const opening = new Set([
  'open',
  'openat',
  'creat',
  'socket',
  'accept',
  'accept4',
  'dup',
  'epoll_create1',
]);
/** Calls with other effects on descriptors. */
const changing = [
  'execve',
  'execveat',
  'dup2',
  'dup3',
  'pipe',
  'pipe2',
  'fcntl',
  'socketpair',
  'recvmsg',
  'close_range',
];

/**
 * Descriptor numbers by process at a time, counted from the events, for processes of the list with
 * simple calls.
 */
async function replayed(input: string, until: bigint): Promise<Map<string, string[]>> {
  const names = changing.map((name) => `'${name}'`).join(', ');
  const simple = `pid in (select pid from processes where ts is null and endts is null)
    and pid not in (select pid from events where type in (${names}) and pid is not null)`;
  const before = await ask(`select pid, fd from descriptors_at('start') where ${simple}`, [input]);
  const open = new Map<string, Set<string>>();
  const of = (pid: unknown) =>
    open.get(String(pid)) ?? (open.set(String(pid), new Set()).get(String(pid)) as Set<string>);
  for (const [pid, fd] of before) of(pid).add(String(fd));
  const events = await ask(
    `select pid, type, fd, result, ts_uts from events where direction = 'exit' and ${simple} and ts_uts <= ${until} order by number`,
    [input],
  );
  for (const [pid, type, fd, result] of events) {
    if (opening.has(String(type)) && Number(result) >= 0) of(pid).add(String(result));
    if (type === 'close' && Number(result) === 0) of(pid).delete(String(fd));
  }
  return new Map(
    [...open].filter(([, set]) => set.size > 0).map(([pid, set]) => [pid, [...set].sort()]),
  );
}

async function shown(
  input: string,
  moment: string,
  pids: readonly string[],
): Promise<Map<string, string[]>> {
  const rows = await ask(
    `select pid, list(cast(fd as varchar)) from descriptors_at(${moment}) group by pid`,
    [input],
  );
  return new Map(
    rows
      .filter(([pid]) => pids.includes(String(pid)))
      .map(([pid, numbers]) => [String(pid), (numbers as string[]).toSorted()]),
  );
}

describe('processes and threads at a moment', () => {
  it.each(captures)('at the start are those of the process list: %s', async (input) => {
    const sql = `select (select count(*) from processes_at('start')), (select count(*) from threads_at('start')),
      processes, threads from capture`;
    const [row] = await ask(sql, [input]);
    expect(Number(row?.[0])).toBeGreaterThan(3);
    expect(row?.slice(0, 2)).toEqual(row?.slice(2));
  });

  it.each(captures)('at the end are those that did not end before: %s', async (input) => {
    const alive = await ask(
      'select pid, comm, cwd, uid from processes where endts is null order by pid',
      [input],
    );
    const at = await ask("select pid, comm, cwd, uid from processes_at('end') order by pid", [
      input,
    ]);
    expect(alive.length).toBeGreaterThan(3);
    expect(at).toEqual(alive);
  });

  it('in the middle are those that started before and end later', async () => {
    const [[moment] = []] = await ask(
      'select ts_uts + 1 from processes where ts_uts is not null order by ts_uts limit 1',
    );
    const time = `make_timestamp_ns(${moment})`;
    const at = await ask(`select pid from processes_at(${time}) order by pid`);
    const lived = await ask(
      `select pid from processes where coalesce(ts_uts <= ${moment}, true) and coalesce(endts_uts > ${moment}, true) order by pid`,
    );
    expect(at).toEqual(lived);
    const start = await ask("select pid from processes_at('start')");
    expect(at.length).toBeGreaterThan(start.length);
  });

  it('of two moments can be compared in one statement', async () => {
    const [[moment] = []] = await ask('select min(ts_uts) from processes');
    const sql = `select pid from processes_at(make_timestamp_ns(${moment})) except select pid from processes_at('start')`;
    const fresh = await ask(
      `select pid from processes where ts_uts <= ${moment} and coalesce(endts_uts > ${moment}, true)`,
    );
    expect(fresh.length).toBeGreaterThan(0);
    expect((await ask(sql)).toSorted()).toEqual(fresh.toSorted());
  });

  it('name the capture', async () => {
    const rows = await ask("select distinct filename from threads_at('end') order by 1", captures);
    expect(rows).toEqual([['webserver-2017.scap'], ['webserver-2026.scap']]);
  });
});

describe('descriptors at a moment', () => {
  it.each(captures)('at the start are those of the lists: %s', async (input) => {
    const sql = `select (select count(*) from descriptors_at('start')), descriptors from capture`;
    const [row] = await ask(sql, [input]);
    expect(row?.[0]).toEqual(row?.[1]);
    const listed = await ask("select distinct listed from descriptors_at('start')", [input]);
    expect(listed).toEqual(Number(row?.[1]) === 0 ? [] : [[true]]);
  });

  it('are those that the events opened and did not close', async () => {
    const times = await ask(
      "select ts_uts from events where type like 'accept%' and direction = 'exit' and result > 0 order by number limit 2",
      [webserver],
    );
    expect(times).toHaveLength(2);
    const seen = new Set<string>();
    for (const [time] of [...times, ['9000000000000000000']]) {
      const expected = await replayed(webserver, BigInt(time as string));
      expect(expected.size).toBeGreaterThan(0);
      expect(await shown(webserver, `make_timestamp_ns(${time})`, [...expected.keys()])).toEqual(
        expected,
      );
      seen.add(JSON.stringify([...expected]));
    }
    expect(seen.size).toBeGreaterThan(1);
  });

  it('have the names that the events show', async () => {
    const sql = `select count(*) from descriptors_at('end') d
      join (select pid, fd, last(fd_name order by number) as name, last(type order by number) as type from events
            where fd_type = 'file' and result >= 0 group by all) e using (pid, fd)
      where e.type in ('read', 'write', 'open', 'openat')`;
    const [all] = await ask(sql);
    const [same] = await ask(`${sql} and d.name = e.name`);
    expect(Number(all?.[0])).toBeGreaterThan(0);
    expect(same).toEqual(all);
  });

  it('include every socket', async () => {
    const sql = `select pid, fd from sockets_at('end') order by all`;
    const same = `select pid, fd from descriptors_at('end') where type in ('ipv4', 'ipv6', 'unix', 'netlink') order by all`;
    for (const input of captures) expect(await ask(sql, [input])).toEqual(await ask(same, [input]));
    const [listening] = await ask(
      "select count(*) from sockets_at('start') where state = 'listening'",
      [webserver],
    );
    expect(Number(listening?.[0])).toBeGreaterThan(0);
  });
});

describe('a moment', () => {
  it.each([
    ["'start'"],
    ['NULL'],
    ['0'],
    ["TIMESTAMP '2020-01-01'"],
    ["date '2020-01-01'"],
    ["'2020-01-01 00:00'"],
    ["timestamptz '2020-01-01 00:00:00+02'"],
    ["'end' || ''"],
    ['1e3'],
    ['$at'],
    ["/* ) */ 'end' -- )\n"],
  ])('can be %s', async (argument) => {
    const parameters: ParameterValues = argument === '$at' ? { at: 'end' } : {};
    const count = await ask(
      `select count(*) from processes_at(${argument})`,
      [webserver],
      parameters,
    );
    const isEnd = /end|at|1e3/.test(argument);
    // The first event itself is not later than 0 seconds after it.
    const same = argument === '0' ? "'start'" : isEnd ? "'end'" : "'start'";
    expect(count).toEqual(await ask(`select count(*) from processes_at(${same})`));
  });

  it('has its time in the rows', async () => {
    const [[first, last] = []] = await ask('select ts_uts, endts_uts from capture');
    const times = async (moment: string) =>
      ask(`select distinct moment_uts from processes_at(${moment})`);
    expect(await times("'start'")).toEqual([[first]]);
    expect(await times("'end'")).toEqual([[last]]);
    expect(await times('1.5')).toEqual([[String(BigInt(first as string) + 1_500_000_000n)]]);
  });

  it.each([
    ['select * from processes_at()', /a moment is missing, as in processes_at\('end'\)/],
    ['select * from processes_at', /a moment is missing/],
    [
      "select * from processes_at('10:00')",
      /processes_at\('10:00'\): no moment of a capture: expected a time in UTC/,
    ],
    ["select * from sockets_at('yesterday')", /no moment of a capture/],
    ['select * from processes_at(-1)', /no moment of a capture/],
    [
      'select p.pid from events e, processes_at(e.ts) p',
      /the moment must be a constant.*query it first/,
    ],
    ['select * from processes_at((select max(ts) from events))', /the moment must be a constant/],
    [
      `select * from processes_at('1')${Array.from({ length: 101 }, (_, i) => ` union from processes_at(${i})`).join('')}`,
      /at most 100/,
    ],
  ])('is refused if the engine cannot know it: %s', async (sql, message) => {
    await expect(ask(sql)).rejects.toThrow(message);
  });

  it('is refused if it changes from one evaluation to the next', async () => {
    await expect(ask('select * from processes_at(random() * 1e6)')).rejects.toThrow(
      /must be a constant/,
    );
  });

  it('works in statements that are not SELECT', async () => {
    const sql = "create table x as from processes_at('end'); select count(*) from x";
    const dataset = await openDataset([webserver], sql);
    try {
      const result = await dataset.connection.runAndReadAll(sql);
      expect(result.getRowsJson()).toEqual(await ask("select count(*) from processes_at('end')"));
    } finally {
      dataset.close();
    }
  });

  it.each([
    ["processes_at('a(b)')", ["'a(b)'"]],
    ['Processes_At ( f(1, (2)) ), "processes_at"(3)', ['f(1, (2)) ', '3']],
    [
      "-- processes_at(1)\n'processes_at(2)' $$processes_at(3)$$ my_processes_at(4) processes_at(5",
      [],
    ],
    ['processes_at(/* no */)', ['']],
  ])('is found in SQL: %s', (sql, expected) => {
    expect(argumentsOf(sql, 'processes_at')).toEqual(expected);
  });

  it('is parsed to the nanosecond', () => {
    const parsed = (text: string) => parseMoment(text, 'processes_at');
    expect(parsed('1970-01-01 00:00:01.000000002')).toEqual({
      kind: 'time',
      value: 1_000_000_002n,
    });
    expect(parsed('1970-01-01 02:00:01+02')).toEqual({ kind: 'time', value: 1_000_000_000n });
    expect(parsed('+0.25')).toEqual({ kind: 'relative', value: 250_000_000n });
  });

  it('does not need columns that the statement does not name', async () => {
    const [need] = await findNeeds("select p.pid, moment from processes_at('end') p");
    expect(need).toMatchObject({
      table: 'processes_at',
      columns: ['moment_uts', 'moment_number', 'pid'],
      moments: [{ key: 'end', moment: { kind: 'end' } }],
    });
  });

  it('needs a capture', async () => {
    const records = scratch.path('incident.sf');
    for await (const bytes of openAvro({ input: incident })) appendFileSync(records, bytes);
    await expect(ask("from processes_at('end')", [records])).rejects.toThrow(
      /no table processes_at/,
    );
  });
});

describe('the tables of lists and of the capture', () => {
  it.each(captures)('have as many rows as the capture counts: %s', async (input) => {
    const [counts] = await ask(
      `select (select count(*) from users), (select count(*) from groups), (select count(*) from interfaces),
        (select count(*) from containers), users, groups, interfaces, containers from capture`,
      [input],
    );
    expect(counts?.slice(0, 4)).toEqual(counts?.slice(4));
  });

  it('have the containers of the records, and more', async () => {
    const missing = await ask(
      'select container_id from container except select id from containers',
      [incident],
    );
    expect(missing).toEqual([]);
  });

  it('have the damage of a capture', async () => {
    const path = scratch.path('cut.scap');
    const bytes = readFileSync(incident);
    writeFileSync(path, bytes.subarray(0, bytes.length - 10));
    const sql = 'select position, kind, skipped_bytes, message from damage';
    expect(await ask(sql)).toEqual([]);
    const rows = await ask(sql, [path]);
    expect(rows).toHaveLength(1);
    expect(await ask('select damaged_places from capture', [path])).toEqual([['1']]);
  });

  it('have the facts of sfkit info', async () => {
    const [row] = await ask(
      'select format, sections, events, ts_uts, endts_uts, duration from capture',
    );
    const [events] = await ask(
      'select count(*), min(ts_uts) filter (ts_uts > 0), max(ts_uts) from events',
    );
    expect(row?.[0]).toBe('scap');
    expect(row?.[1]).toBe('1');
    expect([row?.[2], row?.[3], row?.[4]]).toEqual(events);
    expect(BigInt(row?.[5] as string)).toBe(
      BigInt(events?.[2] as string) - BigInt(events?.[1] as string),
    );
  });
});
