import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tableColumns } from '../../../src/engine/columns.gen.js';
import { openLines } from '../../../src/engine/session.js';
import { findNeeds, needsOf } from '../../../src/query/capture-tables/needs.js';
import { openDataset } from '../../../src/query/dataset.js';
import { corpus, fixtures, hasCorpus } from '../../helpers/corpus.js';
import { testDirectory } from '../../helpers/directory.js';
import { openAvro } from '../../helpers/sf.js';

const scratch = testDirectory();

const incident = join(fixtures, 'incident.scap');
const webserver = join(fixtures, 'webserver-2017.scap');

async function ask(sql: string, inputs = [incident], filter?: string): Promise<unknown[][]> {
  const dataset = await openDataset(inputs, sql, filter === undefined ? {} : { filter });
  try {
    return (await dataset.connection.runAndReadAll(sql)).getRowsJson() as unknown[][];
  } finally {
    dataset.close();
  }
}

describe('the table events', () => {
  it.each([incident, webserver])(
    'has the same events as the listing, in order: %s',
    async (input) => {
      const listed: unknown[][] = [];
      for await (const bytes of openLines({ input, lineFormat: 'json' })) {
        for (const line of Buffer.from(bytes).toString('utf8').trimEnd().split('\n')) {
          const event = JSON.parse(line);
          const texts = Object.entries(event.args as Record<string, { text: string }>).map(
            ([key, { text }]) => ({
              key,
              value: text,
            }),
          );
          listed.push([
            String(event['evt.num']),
            /"evt\.rawtime":(\d+)/.exec(line)?.[1],
            event['evt.dir'] === '>' ? 'enter' : 'exit',
            event['evt.type'],
            event['proc.pid'] === null ? null : String(event['proc.pid']),
            event['proc.name'],
            event['evt.rawres'] === null ? null : String(event['evt.rawres']),
            event['fd.name'],
            texts,
          ]);
        }
      }
      const sql =
        'select number, ts_uts, direction, type, pid, comm, result, fd_name, map_entries(arguments) from events';
      const rows = await ask(sql, [input]);
      expect(rows.length).toBeGreaterThan(50);
      expect(rows).toEqual(listed);
    },
  );

  it('returns written bytes as bytes', async () => {
    const [text] = await ask(
      "select hex(buffer) from events where type = 'write' and buffer is not null limit 1",
    );
    expect(text?.[0]).toMatch(/^([0-9A-F]{2})+$/);
    const [sums] = await ask(
      'select count(*), count(buffer), sum(octet_length(buffer)) from events',
    );
    expect(Number(sums?.[1])).toBeGreaterThan(0);
    expect(Number(sums?.[2])).toBeGreaterThan(Number(sums?.[1]));
  });

  it('names the capture of each event', async () => {
    const rows = await ask('select filename, count(*) from events group by 1 order by 1', [
      incident,
      webserver,
    ]);
    expect(rows.map(([name]) => name)).toEqual(['incident.scap', 'webserver-2017.scap']);
  });

  it('names the errors of failed calls only', async () => {
    const rows = await ask(
      'select distinct failed, error is null, result < 0 from events where result is not null',
      [webserver],
    );
    for (const [failed, noError, negative] of rows)
      expect([noError, negative]).toEqual([!failed, failed]);
  });

  it('joins with records, and respects the filter', async () => {
    const sql =
      "select count(*) from events e join process_event p on e.ts_uts = p.ts_uts where e.type = 'execve'";
    expect(Number((await ask(sql))[0]?.[0])).toBeGreaterThan(0);
    expect(await ask('select distinct type from events', [incident], 'evt.type = openat')).toEqual([
      ['openat'],
    ]);
  });

  it('is rejected if no input contains events', async () => {
    const records = scratch.path('incident.sf');
    for await (const bytes of openAvro({ input: incident })) appendFileSync(records, bytes);
    await expect(ask('select * from events', [records])).rejects.toThrow(/no table events/);
    expect(await ask('with events as (select 1) select * from events', [records])).toEqual([[1]]);
  });
});

describe('the table calls', () => {
  const keys = [
    'pid',
    'comm',
    'exe',
    'uid',
    '"user"',
    'container_id',
    'type',
    'category',
    'error',
    'fd_type',
    'fd_name',
  ];
  const both = (chosen: readonly string[]) => {
    const names = chosen.map((key) => `${key}`).join(', ');
    return [
      `select ${names}, sum("count"), sum(failed), sum(latency), max(max_latency), min(ts), max(endts)
        from calls group by all order by all`,
      `select ${names}, count(*), count(*) filter (failed), sum(latency), max(latency), min(ts), max(ts)
        from events where direction = 'exit' group by all order by all`,
    ] as const;
  };

  it.each([incident, webserver])('sums up the exit events, by any columns: %s', async (input) => {
    for (const chosen of [keys, ['type'], ['comm', 'fd_name'], ['error', 'category']]) {
      const [calls, events] = both(chosen);
      const rows = await ask(calls, [input]);
      expect(rows.length).toBeGreaterThan(2);
      expect(rows).toEqual(await ask(events, [input]));
    }
  });

  it('takes conditions and a filter', async () => {
    const sql = (table: string, what: string) =>
      `select ${what} from ${table} where type in ('read', 'openat') and fd_type = 'file'`;
    const [calls] = await ask(sql('calls', 'sum("count")'));
    expect(Number(calls?.[0])).toBeGreaterThan(0);
    expect(calls).toEqual(
      (await ask(sql("(from events where direction = 'exit')", 'count(*)')))[0],
    );
    expect(await ask('select distinct type from calls', [incident], 'evt.type = read')).toEqual([
      ['read'],
    ]);
  });
});

describe('the table cpu', () => {
  it.runIf(hasCorpus)('has the numbers that sysdig shows for a capture with samples', async () => {
    const example = join(corpus, 'sysdig-examples/example2_502error.scap');
    const sql = (source: string) =>
      `select comm, sum(cpu_time) from cpu where source = '${source}' and pid is not null group by all order by all`;
    expect(await ask(sql('sample'), [example])).toEqual([
      ['haproxy', '50000000'],
      ['python', '20000000'],
    ]);
    const switches = await ask(sql('switch'), [example]);
    expect(switches.map(([comm]) => comm)).toEqual(['haproxy', 'python']);
  });
});

describe('the table processes', () => {
  it('has every process once: ended ones by end time, then live ones by number', async () => {
    const sql = 'select pid, ppid, comm, endts_uts, duration, exit_code from processes';
    const rows = await ask(sql);
    const alive = rows.filter(([, , , end]) => end === null).map(([pid]) => Number(pid));
    expect(alive).toEqual([...alive].sort((left, right) => left - right));
    const ends = rows.flatMap(([, , , end]) => (end === null ? [] : [BigInt(end as string)]));
    expect(ends).toEqual([...ends].sort((left, right) => Number(left - right)));
    const exits = await ask(
      "select proc_pid, ts_uts from process_event where list_contains(opflags, 'EXIT')",
    );
    expect(exits.length).toBeGreaterThan(0);
    expect(rows.filter(([, , , end]) => end !== null).map(([pid, , , end]) => [pid, end])).toEqual(
      exits,
    );
    expect(new Set(rows.map(([pid]) => pid)).size).toBe(rows.length);
  });

  it('has a duration only if start and end are known', async () => {
    const rows = await ask('select ts_uts, endts_uts, duration from processes');
    for (const [begin, end, duration] of rows) {
      const both = begin !== null && end !== null;
      expect(duration).toBe(both ? String(BigInt(end as string) - BigInt(begin as string)) : null);
    }
  });

  it('rejects a filter, which selects events', async () => {
    await expect(ask('select * from processes', [incident], 'evt.type = openat')).rejects.toThrow(
      /use WHERE/,
    );
  });
});

// A statement over a subquery of everything loads the whole table.
describe('a condition that the engine evaluates does not change the answer', () => {
  const conditions = [
    'pid = 3000',
    '3000 = e.pid',
    "type in ('execve', 'clone')",
    "type = 'execve' or pid = 2100",
    "type = 'execve' or args like '%curl%'",
    "type = 'no_such_call'",
    "comm = 'sh' and direction = 'exit' and result >= 0",
    "not (comm = 'sh')",
    'number between 10 and 20',
    'number < 5 or number > 60',
    "ts >= '2026-03-02 10:00:03.000465' and ts < TIMESTAMP '2026-03-02 10:00:05'",
    'ts_uts <= 1772445603000465000',
    "fd_name = '/etc/passwd'",
    "comm = 'it''s'",
    'result = -2',
    "container_id = 'host'",
    'pid = -1',
    'latency = 0',
  ];
  it.each(conditions)('%s', async (condition) => {
    const direct = await ask(`select * from events e where ${condition}`);
    const apart = await ask(`select * from (select * from events) e where ${condition}`);
    expect(direct).toEqual(apart);
  });
});

describe('the needs of a statement', () => {
  it.each([
    ['select count(*) from process', undefined],
    ['select count(*) from events', { columns: ['number'], filter: '' }],
    [
      'select pid, e.args from Events e where pid = 7',
      { columns: ['pid', 'args'], filter: 'proc.pid = 7' },
    ],
    [
      'select ts from events where pid = 7 and latency > 5',
      { filter: '(proc.pid = 7 and evt.latency > 5)' },
    ],
    [
      'select pid from events where pid = 1 union all select pid from events where pid = 2',
      {
        filter: 'proc.pid = 2 or proc.pid = 1',
      },
    ],
    ['select pid from events where pid = 1 union all select pid from events', { filter: '' }],
    [
      'select a.pid from events a join events b using (tid) where a.pid = 1',
      { columns: ['pid', 'tid'], filter: '' },
    ],
    ['select pid from events using sample 3 where pid = 1', { filter: '' }],
    [
      'with events as (select * from events where pid = 1) select 1 from events where tid = 2',
      {
        filter: 'thread.tid = 2 or proc.pid = 1',
      },
    ],
    ['select buffer, arguments from events', { columns: ['arguments_json', 'buffer_base64'] }],
  ])('%s', async (sql, expected) => {
    const needs = await findNeeds(sql);
    expect(needs).toMatchObject(expected === undefined ? [] : [{ table: 'events', ...expected }]);
  });

  it.each([
    'from events',
    'select e from events e',
    'select columns(c -> c like $$p%$$) from events',
    'select #1 from events',
    'select pid from events t(a, b)',
    'summarize events',
    'create table x as select pid from events; select * from x',
  ])('is all columns: %s', async (sql) => {
    expect((await findNeeds(sql))[0]?.columns).toHaveLength(
      tableColumns.events.filter(({ derived }) => !derived).length,
    );
  });

  it('are empty for an empty tree', () => {
    expect(needsOf([])).toEqual([]);
  });
});
