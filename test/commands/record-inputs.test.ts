import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectorFlags } from '../../src/cli/collector-flags.js';
import { Workplace } from '../helpers/cli.js';

// Inputs that contain records instead of events: SysFlow files and tables.

let place: Workplace;
beforeAll(async () => {
  place = new Workplace();
  const { exit } = await place.run(`
    sfkit convert fixtures/webserver.scap -o c.sf && sfkit convert c.sf -o t/ && sfkit convert c.sf -f arrow -o ta/ &&
    sfkit convert c.sf -o all.parquet && sfkit convert c.sf -o all.arrow && sfkit convert c.sf -f jsonl -o lines/`);
  expect(exit).toBe(0);
});
afterAll(() => place.remove());

const records = {
  'c.sf': 'a SysFlow file',
  t: 'a table',
  'ta/': 'a table',
  'all.arrow': 'a table',
  'all.parquet': 'a table',
};
const values: Readonly<Record<string, string>> = {
  filter: '--filter proc.name=x',
  exporter: '--exporter ""',
  'node-ip': '--node-ip 10.0.0.1',
  'file-read-mode': '--file-read-mode select',
  'file-only': '--no-file-only',
  'process-flow': '--process-flow',
  'containers-only': '--containers-only',
  compat: '--compat sysflow-0.7',
  mode: '--mode flow',
  'max-memory': '--max-memory 100MB',
};

describe('flags about the events of a capture', () => {
  // Each flag with one kind of input, because the commands start slowly.
  it.each(Object.keys(collectorFlags).map((flag, index) => [flag, index] as const))(
    '--%s is rejected by name',
    async (flag, index) => {
      const kinds = Object.entries(records);
      const check = async (command: string, path: string, found: string) => {
        const stderr = `sfkit: ${path}: --${flag} is about the events of a capture, and this is ${found}; leave it out\n`;
        expect(await place.run(`${command} ${values[flag]}`)).toEqual({
          stdout: '',
          stderr,
          exit: 2,
        });
      };
      const [input, found] = kinds[index % kinds.length] as [string, string];
      await check(`sfkit convert ${input} -o o.csv`, input, found);
      expect(existsSync(join(place.directory, 'o.csv'))).toBe(false);
      // For a filter, the message names an alternative.
      if (flag === 'filter') return;
      const [other, what] = kinds[(index + 2) % kinds.length] as [string, string];
      const first = { t: 't/container.parquet', 'ta/': 'ta/container.arrow' }[other] ?? other;
      await check(`sfkit query ${other} "select 1 from process"`, first, what);
    },
  );

  it('are rejected if one of several inputs is records, and apply to captures', async () => {
    const several = await place.run(
      'sfkit convert fixtures/webserver.scap c.sf -o o/ --exporter x',
    );
    expect(several).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('c.sf: --exporter is about'),
    });
    const alone = await place.run(
      'sfkit convert fixtures/webserver.scap -f jsonl -o - --table header --exporter x',
    );
    expect(alone).toMatchObject({ exit: 0, stdout: expect.stringContaining('"node_id":"x"') });
  });

  it('are accepted if they are defaults', async () => {
    expect(await place.run('sfkit convert c.sf -f csv -o - --table header')).toMatchObject({
      exit: 0,
    });
  });
});

describe('a SysFlow file', () => {
  it.each(['parquet', 'arrow', 'jsonl', 'csv', 'avro', 'duckdb'])('becomes %s', async (format) => {
    const { exit, stderr } = await place.run(`sfkit convert c.sf -f ${format} -o sf-${format}/`);
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    expect(stderr).toContain(`(${format})`);
    const files = readdirSync(join(place.directory, `sf-${format}`));
    expect(files).toHaveLength(format === 'avro' || format === 'duckdb' ? 1 : 12);
  });

  it.each(['c.sf', 't', 'ta', 'all.parquet', 'all.arrow'])(
    'has the same rows in %s',
    async (input) => {
      const { exit, stderr } = await place.run(
        `sfkit convert ${input} -f jsonl -o again-${input}/`,
      );
      expect(exit, stderr).toBe(0);
      const rows = (directory: string, table: string) =>
        readFileSync(join(place.directory, directory, `${table}.jsonl`), 'utf8');
      const everything = [
        'network_flow',
        'file_event',
        'process_event',
        'process_flow',
        'file_flow',
      ];
      const tables = input.startsWith('all')
        ? everything
        : [...everything, 'process', 'file', 'container', 'header'];
      for (const table of tables)
        expect(rows(`again-${input}`, table), table).toBe(rows('lines', table));
    },
  );
});

describe('a directory with several kinds of inputs', () => {
  it('is one input per file', async () => {
    const { exit, stderr } = await place.run(`
      mkdir mixed && cp c.sf mixed/one.sf && cp fixtures/webserver.scap mixed/two.scap && gzip -c mixed/two.scap > mixed/three.scap.gz
      cp -r t mixed/four.sysflow && cp all.parquet mixed/ignored.txt && echo text > mixed/notes.txt
      sfkit convert mixed -f csv -o out/ --json > /dev/null && ls out | sort | tr '\\n' ' ' >&2`);
    expect({ exit, stderr }).toEqual({
      exit: 0,
      stderr: 'four.sysflow one.sysflow three.sysflow two.sysflow ',
    });
  });

  it('with captures and tables is read as both', async () => {
    const { exit, stdout, stderr } = await place.run(`
      cp -r t both && cp fixtures/webserver.scap both/ && sfkit convert both -f jsonl -o both.out/ 2> /dev/null
      ls both.out | sort | tr '\\n' ' ' && sfkit query both "select count(*) as n from header" --format csv`);
    expect({ exit, stdout, stderr }).toMatchObject({
      exit: 0,
      stdout: 'both.sysflow webserver.sysflow n\r\n2\r\n',
    });
  });

  it('with the same tables in two formats is rejected', async () => {
    const { exit, stderr } = await place.run(
      'cp -r t twice && cp ta/* twice/ && sfkit convert twice -o o.sf',
    );
    expect({ exit, stderr }).toEqual({
      exit: 1,
      stderr: 'sfkit: twice has tables as both .parquet and .arrow; name the files of one format\n',
    });
  });

  it('with only text tables is rejected', async () => {
    const { exit, stderr } = await place.run('sfkit convert lines -o o.sf');
    expect({ exit, stderr }).toEqual({
      exit: 1,
      stderr:
        'sfkit: lines: nothing to convert: it has text tables, but convert reads .parquet and .arrow\n',
    });
  });
});
