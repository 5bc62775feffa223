import { afterAll, describe, expect, it } from 'vitest';
import { budgetOf, Workplace } from '../helpers/cli.js';

const place = new Workplace();
afterAll(() => place.remove());

const capture = 'fixtures/webserver.scap';
const sfkit = (...args: string[]) =>
  place.run(`sfkit ${args.map((part) => `'${part.replaceAll("'", `'"'"'`)}'`).join(' ')}`);
const numbers = 'select range as n from range(9000)';
const query = (...args: string[]) => sfkit('query', capture, numbers, ...args);
const timeout = budgetOf('sfkit '.repeat(14));

describe('-n', { timeout }, () => {
  it.each([2049])('limits rows of every text format to %d', async (most) => {
    const rows = Math.min(most, 9000);
    const text = async (format: string) =>
      (await query('-f', format, '-n', String(most))).stdout.trimEnd();
    expect((await text('csv')).split('\r\n')).toHaveLength(rows + 1);
    expect((await text('jsonl')).split('\n')).toHaveLength(rows);
    expect(JSON.parse(await text('json'))).toHaveLength(rows);
    expect((await text('markdown')).split('\n')).toHaveLength(rows + 2);
    const drawn = (await text('table')).split('\n');
    expect(drawn.filter((line) => /│ +\d+ │/.test(line))).toHaveLength(rows);
  });

  it.each(['parquet', 'arrow'])('limits rows of %s', async (format) => {
    for (const most of [1, 2049, 10_000]) {
      const file = `${most}.${format}`;
      expect((await query('-f', format, '-n', String(most), '-o', file)).exit).toBe(0);
      const count = `select count(*)::int, max(n)::int from "${most}"`;
      const { stdout } = await sfkit('query', file, count, '-f', 'csv');
      const rows = Math.min(most, 9000);
      expect(stdout.split('\r\n')[1]).toBe(`${rows},${rows - 1}`);
    }
  });

  it('limits rows that show prints', async () => {
    const shown = async (most: number, format: string, ...inputs: string[]) =>
      (await sfkit('show', capture, ...inputs, '-n', String(most), '-f', format)).stdout;
    const lines = (text: string) => text.trimEnd().split('\n').length;
    for (const most of [1, 70]) {
      for (const format of ['jsonl', 'flatjson', 'nestedjson'])
        expect(lines(await shown(most, format))).toBe(most);
      expect(lines(await shown(most, 'csv'))).toBe(most + 1);
      expect(JSON.parse(await shown(most, 'json'))).toHaveLength(most);
    }
    expect(lines(await shown(200, 'jsonl', 'fixtures/incident.scap'))).toBe(200);
    const all = await shown(1_000_000, 'jsonl');
    expect((await shown(70, 'jsonl')).trimEnd()).toBe(all.split('\n').slice(0, 70).join('\n'));
  });

  it('limits rows of a database', async () => {
    const file = 'rows.duckdb';
    expect((await query('-n', '5', '-o', file)).exit).toBe(0);
    const attached = `attach '${file}' as kept (read_only); select count(*)::int from kept.result`;
    const { stdout } = await sfkit('query', capture, attached, '-f', 'csv');
    expect(stdout.split('\r\n')[1]).toBe('5');
  });

  it('is rejected where there are no rows', async () => {
    const file = 'all.duckdb';
    expect(await sfkit('query', capture, '-n', '5', '-o', file)).toMatchObject({
      exit: 2,
      stderr: 'sfkit: -n: --format duckdb always has everything\n',
    });
    for (const [command, format] of [
      ['timeline', 'bars'],
      ['tree', 'json'],
      ['tree', 'dot'],
    ] as const) {
      expect(await sfkit(command, capture, '-n', '5', '-f', format)).toMatchObject({
        exit: 2,
        stderr: `sfkit: -n: --format ${format} always has everything\n`,
      });
    }
  });
});
