import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/query/dataset.js';
import { topKinds, topStatement } from '../../src/views/top.js';
import { corpus, fixtures, hasCorpus, root } from '../helpers/corpus.js';

const incident = join(fixtures, 'incident.scap');
const webserver = join(fixtures, 'webserver-2017.scap');

async function rowsOf(sql: string, input: string): Promise<unknown[][]> {
  const dataset = await openDataset([input], sql);
  try {
    return (await dataset.connection.runAndReadAll(sql)).getRowsJson() as unknown[][];
  } finally {
    dataset.close();
  }
}

const top = (kind: string, by: string | undefined, input: string, least = 0n) =>
  rowsOf(topStatement(kind, { by, rows: 1000, least }), input);

describe.each(
  topKinds.flatMap((kind) => Object.keys(kind.measures).map((by) => [kind.name, by] as const)),
)('%s by %s', (kind, by) => {
  it('is sorted and has no rows without the measure', async () => {
    const spec = topKinds.find(({ name }) => name === kind);
    const place = (spec?.keys.length ?? 0) + Object.keys(spec?.measures ?? {}).indexOf(by);
    for (const input of [incident, webserver]) {
      const values = (await top(kind, by, input)).map((row) => Number(row[place]));
      expect(values).toEqual([...values].sort((a, b) => b - a));
      expect(values.every((value) => value > 0 || kind.startsWith('slow'))).toBe(true);
    }
  });
});

it('adds up to what the events say', async () => {
  const events = await rowsOf(
    `select type, count(*), count(*) filter (failed), round(coalesce(sum(latency), 0) / 1e9, 6) from events
      where direction = 'exit' group by 1 order by 2 desc, 1`,
    webserver,
  );
  expect(events.length).toBeGreaterThan(10);
  expect(
    (await top('syscalls', undefined, webserver)).map((row) => [...row.slice(0, 3), row[3] ?? 0]),
  ).toEqual(events);
});

it('takes a shortest time for single calls', async () => {
  const all = await top('slow-calls', undefined, webserver);
  const slow = await top('slow-calls', undefined, webserver, 1_000_000n);
  expect(slow.length).toBeLessThan(all.length);
  expect(slow).toEqual(all.filter((row) => Number(row.at(-1)) >= 0.001));
});

it.runIf(hasCorpus)('has the numbers that sysdig shows', async () => {
  const example = join(corpus, 'sysdig-examples/example2_502error.scap');
  const first = async (kind: string, by?: string) => (await top(kind, by, example))[0];
  expect(await first('files')).toEqual([
    '/lib/x86_64-linux-gnu/libnss_files.so.2',
    '30784',
    '30784',
    '0',
    '222',
    '0',
    0.001703,
  ]);
  expect((await first('processes', 'net'))?.slice(0, 2)).toEqual(['13969', 'haproxy']);
  expect((await first('processes', 'net'))?.[5]).toBe('24060');
  expect((await first('processes', 'errors'))?.[7]).toBe('160');
  expect((await first('ports'))?.slice(0, 3)).toEqual(['80', 'tcp', '26020']);
});

it('names the kinds and measures that exist', () => {
  expect(() => topStatement('procs', { rows: 1, least: 0n })).toThrow(
    /unknown kind 'procs'.*expected processes, files/,
  );
  expect(() => topStatement('files', { by: 'byts', rows: 1, least: 0n })).toThrow(
    "unknown measure of files 'byts'; did you mean 'bytes'? expected bytes, read, written, calls, errors, seconds",
  );
});

describe('sfkit top', () => {
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [join(root, 'bin/run.js'), 'top', ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
    });

  it('writes rows as JSON, with a filter and several captures', () => {
    const one = JSON.parse(run('files', incident, '-f', 'json', '--filter', 'evt.type = read'));
    expect(one[0].read).toBeGreaterThan(0);
    expect(one.every((row: { written: number }) => row.written === 0)).toBe(true);
    const two = JSON.parse(
      run('files', incident, incident, '-f', 'json', '--filter', 'evt.type = read'),
    );
    expect(two[0].read).toBe(2 * one[0].read);
  });

  it('refuses what it cannot take', () => {
    expect(() => run('files', incident, '--at-least', '1ms')).toThrow(
      /--at-least 1ms: expected seconds, such as 0.5/,
    );
    expect(() => run('cpu', incident, '--filter', 'evt.type = read')).toThrow(/use WHERE|cpu/);
  });
});
