import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/query/dataset.js';
import { parseSavedQuery } from '../../src/query/saved/head.js';
import { findQuery, listQueries, queryDirectories } from '../../src/query/saved/library.js';
import { parameterValues } from '../../src/query/saved/parameters.js';
import { fixtures, root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

const own = [join(root, 'queries')];
const scratch = testDirectory();
const capture = (name: string) => join(fixtures, `${name}.scap`);

async function ask(
  name: string,
  inputs: readonly string[],
  given: readonly string[] = [],
): Promise<unknown[][]> {
  const query = findQuery(name, own);
  const parameters = parameterValues(given, query);
  const dataset = await openDataset(inputs, query.sql, {}, { parameters });
  try {
    const result = await dataset.connection.runAndReadAll(query.sql, { ...parameters });
    return result.getRowsJson() as unknown[][];
  } finally {
    dataset.close();
  }
}

// Values for the parameters without a default, by capture.
async function valuesFor(name: string, input: string): Promise<string[]> {
  const first = async (sql: string) => {
    const dataset = await openDataset([input], sql);
    try {
      return String((await dataset.connection.runAndReadAll(sql)).getRowsJson()[0]?.[0]);
    } finally {
      dataset.close();
    }
  };
  switch (name) {
    case 'process':
    case 'ancestors':
    case 'before-exit':
      return [`pid=${await first('select max(pid) from processes where endts is not null')}`];
    case 'new-since':
      return ['since=2000-01-01'];
    case 'new-in':
      return [`capture=${input.split('/').at(-1)}`];
    case 'data':
      return ['name=/'];
    case 'follow':
      return [
        `port=${await first('select any_value(net_dport) from network_flow where flow_wbytes > 0')}`,
      ];
    default:
      return [];
  }
}

// In no fixture does a process send a signal.
const empty = new Set(['signals']);

describe('the saved queries of the package', () => {
  const queries = listQueries(own);

  it('are at least forty', () => {
    expect(queries.length).toBeGreaterThanOrEqual(40);
  });

  it.each(queries.map(({ name }) => name))('@%s has an answer', async (name) => {
    let rows: unknown[][] = [];
    for (const input of ['webserver', 'incident', 'live', 'seeds/messages/messages'].map(capture)) {
      rows = await ask(name, [input], await valuesFor(name, input));
      if (rows.length > 0) break;
    }
    expect(rows.length > 0, name).toBe(!empty.has(name));
  });

  it('@connections counts a connection once whose two ends are in the capture', async () => {
    const rows = await ask('connections', [capture('webserver')]);
    const keys = rows.map(([program, , direction, , peer, port]) =>
      [program, direction, peer, port].join(),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('@dns shows each name with its last answer', async () => {
    const rows = await ask('dns', [capture('seeds/messages/messages')]);
    expect(rows.map((row) => row.slice(2, 9))).toEqual([
      ['shop.example', 'A', '1', '1', 'NOERROR', '192.1.2.3, www.example', 6.02],
      ['none.example', 'A', '1', '1', 'NXDOMAIN', null, 6.02],
      ['late.example', 'A', '1', '0', null, null, null],
    ]);
  });

  it('@http shows each request with its response', async () => {
    const rows = await ask('http', [capture('seeds/messages/messages')]);
    expect(rows.map((row) => row.slice(4))).toEqual([
      ['client', 'GET', 'shop.example', '/cart', '200', 6.02],
      ['client', 'POST', '192.1.2.3', `/search?q=${'x'.repeat(65)}`, '414', 6.02],
    ]);
  });

  it('@new-in compares captures', async () => {
    const rows = await ask(
      'new-in',
      [capture('webserver'), capture('live')],
      ['capture=live.scap'],
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(
      await ask('new-in', [capture('webserver'), capture('live')], ['capture=none.scap']),
    ).toEqual([]);
  });
});

describe('directories of queries', () => {
  it('are those of the variable, the configuration or the home, before those of the package', () => {
    expect(queryDirectories({ SFKIT_QUERIES: '/q', XDG_CONFIG_HOME: '/c' })).toEqual([
      '/q',
      ...own,
    ]);
    expect(queryDirectories({ XDG_CONFIG_HOME: '/c' })).toEqual(['/c/sfkit/queries', ...own]);
  });

  it('may be missing, and a query in the first hides one in the second', () => {
    const mine = scratch.path('mine');
    expect(listQueries([mine, ...own]).length).toBe(listQueries(own).length);
    mkdirSync(mine);
    writeFileSync(join(mine, 'users.sql'), '-- title: Mine\nselect 1');
    writeFileSync(join(mine, 'broken.sql'), 'select 1');
    expect(listQueries([mine, ...own]).find(({ name }) => name === 'users')?.title).toBe('Mine');
    expect(() => findQuery('broken', [mine])).toThrow(
      /broken\.sql: the title is missing; a saved query starts with comment lines/,
    );
  });

  it('suggest the nearest name for an unknown query', () => {
    expect(() => findQuery('conections', own)).toThrow(/did you mean '@connections'\?/);
    expect(() => findQuery('../../etc/passwd', own)).toThrow(/no saved query/);
  });
});

describe('a head', () => {
  it.each([
    ['select 1', /the title is missing/],
    ['-- title: A: b\nselect 1', /is not YAML/],
    ['-- title: A\n-- owner: me\nselect 1', /'owner' is unknown in a head/],
    ['-- title: A\n;', /no SQL/],
    ['-- title: A\n-- parameters: [pid]\nselect 1', /parameters are a map/],
    ['-- title: A\n-- parameters: {Pid: {}}\nselect 1', /parameter 'Pid'/],
    ['-- title: A\n-- parameters: {pid: {type: int}}\nselect 1', /unknown type/],
  ])('%s', (text, message) => {
    expect(() => parseSavedQuery('x', 'x.sql', text)).toThrow(message);
  });
});

describe('values of parameters', () => {
  const query = parseSavedQuery(
    'q',
    'q.sql',
    '-- title: Q\n-- parameters: {pid: {type: integer}, from: {type: time, default: 2026-01-01}, name: {default: x}}\nselect 1',
  );
  it('have the types and defaults of the head', () => {
    expect(parameterValues(['pid=7'], query)).toEqual({ pid: 7n, from: '2026-01-01', name: 'x' });
    expect(parameterValues(['pid=-7', 'name=a=b', 'from=2026-03-02T10:00:05.5Z'], query)).toEqual({
      pid: -7n,
      from: '2026-03-02T10:00:05.5',
      name: 'a=b',
    });
  });
  it.each([
    [['pid'], /expected NAME=VALUE/],
    [[], /@q needs --param pid=INTEGER/],
    [['pid=x'], /expected a whole number/],
    [['pid=1', 'nme=2'], /did you mean 'name'\?/],
    [['pid=1', 'from=noon'], /expected a time in UTC/],
  ])('%s is refused', (given, message) => {
    expect(() => parameterValues(given, query)).toThrow(message);
  });
  it('are numbers if they look like numbers, for SQL without a head', () => {
    expect(parameterValues(['a=5', 'b=5x'])).toEqual({ a: 5n, b: '5x' });
  });
});
