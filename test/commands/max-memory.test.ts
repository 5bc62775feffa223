import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { Workplace } from '../helpers/cli.js';
import { root } from '../helpers/corpus.js';

const program = ['.', 'Release']
  .map((folder) => join(root, 'native/build', folder, 'sfkit_hostile_trial'))
  .find(existsSync);
const run = promisify(execFile);
const place = new Workplace();
afterAll(() => place.remove());

const limit = 32e6;

/** MB of memory by way of reading a capture of a kind and size. */
async function memory(kind: string, size: number, most?: number): Promise<Map<string, number>> {
  const args = ['engine', kind, String(size), '120', ...(most === undefined ? [] : [String(most)])];
  const { stdout } = await run(program as string, args);
  const [, ...costs] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const cost of costs) expect(cost.stopped, cost.way).toBe(false);
  return new Map(costs.map(({ way, memory }) => [way, memory]));
}

/** Writes a capture into the working directory. */
async function write(kind: string, size: number): Promise<string> {
  const name = `${kind}-${size}.scap`;
  const path = join(place.directory, name);
  if (!existsSync(path)) await run(program as string, ['write', kind, String(size), path]);
  return name;
}

describe.skipIf(program === undefined)('--max-memory (needs sfkit_hostile_trial)', () => {
  const all = ['compat', 'avro', 'columns', 'events', 'info'];
  // `info` follows threads, but not what they open.
  const followers = all.filter((way) => way !== 'info');
  // Of the limit, 24 MB are for buffers, which these captures do not fill.
  it.each([
    ['unknown_threads', 100_000, 'threads with their tables', all],
    ['fork_fds_and_open', 20_000, 'processes with tables of their own', followers],
    ['accepts', 200_000, 'connections', followers],
    ['long_arguments', 2000, 'long texts', all.filter((way) => way !== 'columns')],
  ])(
    'bounds the memory for %s (%i %s)',
    async (kind, size, _what, ways) => {
      const without = await memory(kind, size);
      const within = await memory(kind, size, limit);
      for (const way of ways) {
        expect(without.get(way), way).toBeGreaterThan(60);
        expect(within.get(way), way).toBeLessThan(32);
      }
    },
    300_000,
  );

  it('counts what convert left out, and writes the rest', async () => {
    const capture = await write('fork_fds_and_open', 40_000);
    const { exit, stderr } = await place.run(
      `sfkit convert ${capture} -o bounded.sf --max-memory 32MB`,
    );
    expect(exit).toBe(3);
    expect(stderr).toMatch(
      /skipped: [\d,]+ threads forgotten, the longest idle first \(--max-memory: a higher limit keeps more\)\n/,
    );
    expect(stderr).toMatch(/skipped: [\d,]+ descriptors forgotten, those of the longest idle/);
    expect(stderr).toMatch(/note: [\d,]+ flows divided into two or more records/);
    const count = await place.run(
      'sfkit query bounded.sf "select count(*) as n from sysflow" -f csv',
    );
    expect(Number(count.stdout.split('\n')[1])).toBeGreaterThan(100_000);
  }, 120_000);

  it('makes the same file in every process', async () => {
    const capture = await write('accepts', 100_000);
    const files = ['one.sf', 'two.sf'];
    for (const file of files)
      await place.run(`sfkit convert ${capture} -o ${file} --codec null --max-memory 32MB`);
    const [one, two] = files.map((file) => readFileSync(join(place.directory, file)));
    expect(one?.length).toBeGreaterThan(1e6);
    expect(one?.equals(two as Buffer)).toBe(true);
  }, 120_000);

  it('is the same in the parts of --json, and has ids', async () => {
    const capture = await write('fork_fds_and_open', 40_000);
    const { stdout } = await place.run(
      `sfkit convert ${capture} -o bounded.sf --max-memory 32MB --json`,
    );
    const { skipped, notes } = JSON.parse(stdout);
    const ids = skipped.map(({ id, severity }: Record<string, string>) => `${id} ${severity}`);
    expect(ids).toEqual(
      expect.arrayContaining(['forgotten-threads loss', 'forgotten-descriptors loss']),
    );
    expect(notes).toEqual([expect.objectContaining({ id: 'flows-ended-early' })]);
  }, 120_000);

  writeFileSync(
    join(place.directory, 'falco.yaml'),
    '- rule: None\n  desc: none\n  condition: evt.type = open and proc.name = none\n  output: none\n  priority: ERROR\n',
  );
  writeFileSync(
    join(place.directory, 'rules.sql'),
    "-- title: None\nSELECT * FROM file_flow WHERE proc_name = 'none'\n",
  );
  it.each([
    ['info CAPTURE', 'unknown_threads', 100_000],
    ['events CAPTURE --count --filter "proc.name = none"', 'fork_fds_and_open', 40_000],
    ['query CAPTURE "select count(*) from sysflow"', 'fork_fds_and_open', 40_000],
    ['check CAPTURE --rules falco.yaml', 'fork_fds_and_open', 40_000],
    ['check CAPTURE --rules rules.sql', 'fork_fds_and_open', 40_000],
  ])(
    'sfkit %s reports it too',
    async (command, kind, size) => {
      const capture = await write(kind, size);
      const { exit, stdout, stderr } = await place.run(
        `sfkit ${command.replace('CAPTURE', capture)} --max-memory 32MB`,
      );
      expect(exit).toBe(3);
      expect(stdout + stderr).toMatch(/[\d,]+ threads forgotten/);
    },
    120_000,
  );
});

describe('--max-memory', () => {
  it('changes nothing below the limit', async () => {
    for (const capture of ['webserver', 'incident']) {
      const convert = `sfkit convert fixtures/${capture}.scap --codec null -o`;
      const { exit } = await place.run(
        `${convert} without.sf && ${convert} within.sf --max-memory 32MB && cmp without.sf within.sf`,
      );
      expect(exit, capture).toBe(0);
    }
  }, 60_000);

  it.each([
    ['31MB', "--max-memory: '31MB' is too little: the engine needs 32MB"],
    ['0', "--max-memory: '0' is too little: the engine needs 32MB"],
    [
      'much',
      "--max-memory: 'much' is not a size: expected a number and a unit, such as 512MB or 2GiB",
    ],
  ])('refuses %s', async (size, message) => {
    for (const command of ['convert', 'info', 'events']) {
      const { exit, stderr } = await place.run(
        `sfkit ${command} fixtures/webserver.scap --max-memory ${size}`,
      );
      expect([exit, stderr]).toEqual([2, `sfkit: ${message}\n`]);
    }
  });
});
