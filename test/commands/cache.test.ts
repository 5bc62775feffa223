import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fixtures, root } from '../helpers/corpus.js';
import { until } from '../helpers/until.js';

// The cache of `sfkit query` under bad conditions. The queries are processes of their own.

let directory: string;
let caches: string;
let temporary: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-cached-'));
  const [repeat, short] = [join(root, 'bench/repeat.mjs'), join(fixtures, 'webserver.scap')];
  expect(
    spawnSync(process.execPath, [repeat, short, join(directory, 'long.scap'), '20']).status,
  ).toBe(0);
  temporary = join(directory, 'tmp');
  mkdirSync(temporary);
});
afterAll(() => rmSync(directory, { recursive: true }));

let count = 0;
beforeEach(() => {
  caches = join(directory, `caches-${count++}`);
  mkdirSync(caches, { mode: 0o700 });
});

const cache = () => join(caches, 'sfkit');
const within = (name: string) =>
  existsSync(join(cache(), name)) ? readdirSync(join(cache(), name)) : [];

const short = join(fixtures, 'incident.scap');
const sql = 'select type, count(*) from sysflow group by all order by all';

function start(args: string[], env: NodeJS.ProcessEnv = {}) {
  return spawn(process.execPath, [join(root, 'bin/run.js'), ...args], {
    cwd: directory,
    env: {
      ...process.env,
      TMPDIR: temporary,
      XDG_CACHE_HOME: caches,
      SFKIT_CACHE_SIZE: '',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function run(args: string[], env?: NodeJS.ProcessEnv) {
  const child = start(args, env);
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const pieces: Buffer[] = [];
    stream.on('data', (piece) => pieces.push(piece));
    return () => Buffer.concat(pieces).toString();
  }) as [() => string, () => string];
  const [exit] = await once(child, 'close');
  return { exit, stdout: stdout(), stderr: stderr() };
}

const query = (input: string, env?: NodeJS.ProcessEnv) =>
  run(['query', input, sql, '--format', 'csv'], env);

/** Answers without a cache. */
const plain = new Map<string, ReturnType<typeof run>>();
function uncached(input: string): ReturnType<typeof run> {
  const known = plain.get(input) ?? run(['query', input, sql, '--format', 'csv', '--no-cache']);
  plain.set(input, known);
  return known;
}

describe('the cache stays whole', () => {
  it('when runs make the same entry at once', async () => {
    const expected = await uncached('long.scap');
    expect(within('entries')).toEqual([]);
    const answers = await Promise.all([query('long.scap'), query('long.scap'), query('long.scap')]);
    expect(answers).toEqual([expected, expected, expected]);
    expect(within('entries')).toHaveLength(1);
    expect(within('work')).toEqual([]);
    expect(await query('long.scap')).toEqual(expected);
  });

  it('when a run is killed while it writes', async () => {
    const expected = await uncached('long.scap');
    const isWriting = () =>
      within('work').some((name) => existsSync(join(cache(), 'work', name, 'entry/tables.duckdb')));
    for (;;) {
      const child = start(['query', 'long.scap', sql]);
      const ended = once(child, 'exit');
      await until(() => child.exitCode !== null || isWriting());
      child.kill('SIGKILL');
      const [, signal] = await ended;
      if (signal === 'SIGKILL' && within('entries').length === 0) break;
      rmSync(cache(), { recursive: true });
    }
    expect(within('work')).toHaveLength(1);
    expect(await query('long.scap')).toEqual(expected);
    expect(within('entries')).toHaveLength(1);
    expect(within('work')).toEqual([]);
  });

  it('when a signal ends a run', async () => {
    const child = start(['query', 'long.scap', sql]);
    const ended = once(child, 'exit');
    await until(() => child.exitCode !== null || within('work').length > 0);
    child.kill('SIGTERM');
    const [, signal] = await ended;
    expect(signal).toBe('SIGTERM');
    expect(within('work')).toEqual([]);
    expect(within('entries')).toEqual([]);
  });

  it('on a full disk', async (context) => {
    const mounted =
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', caches]).status === 0;
    if (!mounted) return context.skip('only root can mount a small disk');
    try {
      chmodSync(caches, 0o700);
      const expected = await uncached('long.scap');
      expect(await query('long.scap')).toEqual(expected);
      expect(within('entries')).toEqual([]);
      expect(within('work')).toEqual([]);
      expect(await query('long.scap')).toEqual(expected);
    } finally {
      spawnSync('umount', [caches]);
    }
  });
});

describe('a query works without a cache', () => {
  it.each<[string, NodeJS.ProcessEnv]>([
    ['without a home', { XDG_CACHE_HOME: undefined, HOME: undefined }],
    ['with a relative home', { XDG_CACHE_HOME: 'caches', HOME: '.' }],
    ['with a home that does not exist', { XDG_CACHE_HOME: undefined, HOME: '/nonexistent/home' }],
    ['with a home that is a file', { XDG_CACHE_HOME: undefined, HOME: short }],
    ['where nobody can write', { XDG_CACHE_HOME: '/proc/self' }],
    ['with a size of 0', { SFKIT_CACHE_SIZE: '0' }],
  ])('%s', async (_, env) => {
    expect(await query(short, env)).toEqual(await uncached(short));
    expect(readdirSync(caches)).toEqual([]);
  });

  it('with --no-cache', async () => {
    expect((await run(['query', short, sql, '--no-cache'])).exit).toBe(0);
    expect(readdirSync(caches)).toEqual([]);
  });

  it('for standard input', async () => {
    const piped = spawnSync(
      'sh',
      [
        '-c',
        `cat "${short}" | "${process.execPath}" "${join(root, 'bin/run.js')}" query - "${sql}"`,
      ],
      {
        env: { ...process.env, XDG_CACHE_HOME: caches, SFKIT_CACHE_SIZE: '' },
      },
    );
    expect(piped.status).toBe(0);
    expect(within('entries')).toEqual([]);
  });
});

describe('a directory that others could change', () => {
  const warned = async (reason: string) => {
    const { stdout } = await uncached(short);
    const answer = await query(short);
    expect(answer).toEqual({
      exit: 0,
      stdout,
      stderr: `sfkit: working without a cache: ${reason}\n`,
    });
    const info = await run(['cache', 'info']);
    expect(info).toEqual({ exit: 1, stdout: '', stderr: `sfkit: there is no cache: ${reason}\n` });
  };

  it('is refused if it is a link', async () => {
    const other = join(directory, 'other');
    mkdirSync(other);
    symlinkSync(other, cache());
    await warned(`${cache()} is a symbolic link`);
    expect(readdirSync(other)).toEqual([]);
  });

  it('is refused if others can write to it', async () => {
    mkdirSync(cache());
    chmodSync(cache(), 0o777);
    await warned(`others can write to ${cache()}`);
  });

  it('is refused if others can replace it', async () => {
    chmodSync(caches, 0o777);
    await warned(`others can write to ${caches}`);
  });

  it.runIf(process.geteuid?.() === 0)('is refused if it belongs to another user', async () => {
    mkdirSync(cache(), { mode: 0o700 });
    chownSync(cache(), 65534, 65534);
    await warned(`${cache()} belongs to another user`);
  });

  it.runIf(process.geteuid?.() === 0)('is refused in the home of another user', async () => {
    chownSync(caches, 65534, 65534);
    await warned(`${caches} belongs to another user`);
  });

  it('is a sticky directory of the system not', async () => {
    chmodSync(caches, 0o1777);
    expect((await query(short)).stderr).toBe('');
    expect(within('entries')).toHaveLength(1);
  });

  it('becomes private if others can only read it', async () => {
    mkdirSync(cache());
    chmodSync(cache(), 0o755);
    expect((await query(short)).stderr).toBe('');
    expect(statSync(cache()).mode & 0o777).toBe(0o700);
  });
});

describe('sfkit cache', () => {
  it('lists the entries and removes them', async () => {
    expect((await run(['cache', 'info'])).stdout).toBe(`${cache()}: 0 of 8,000,000,000 bytes\n`);
    expect(readdirSync(caches)).toEqual([]);
    await query(short);
    await run(['query', short, 'from processes']);
    const info = JSON.parse(
      (await run(['cache', 'info', '--json'], { SFKIT_CACHE_SIZE: '1.5MB' })).stdout,
    );
    expect(info).toMatchObject({ directory: cache(), limit: 1_500_000 });
    expect(
      info.entries.map(({ input, part }: { input: string; part: string }) => [input, part]),
    ).toEqual([
      [short, 'processes'],
      [short, 'records'],
    ]);
    const cleared = JSON.parse((await run(['cache', 'clear', '--json'])).stdout);
    expect(cleared).toEqual({ directory: cache(), entries: 2, bytes: info.bytes });
    expect(within('entries')).toEqual([]);
    expect(within('files')).toEqual([]);
    expect(within('work')).toEqual([]);
  });

  it.each(['5 apples', '-1', '1e9', 'MB', '99999999TB'])('rejects the size %s', async (size) => {
    const { exit, stderr } = await run(['query', short, sql, `--cache-size=${size}`]);
    expect(exit).toBe(2);
    expect(stderr).toBe(
      `sfkit: --cache-size: '${size}' is not a size: expected a number and a unit, such as 512MB or 2GiB\n`,
    );
  });

  it('keeps only what fits', async () => {
    await run(['query', short, sql, '--cache-size', '1KB']);
    expect(within('entries')).toEqual([]);
  });
});

describe('limits', () => {
  // 10 million rows of 16 bytes do not fit into the memory.
  const long =
    'select count(*) from (select range a, hash(range) b from range(10000000) order by b)';

  it('data beyond the memory limit goes to a private file that does not stay', async () => {
    const modes = new Set<number>();
    const child = start([
      'query',
      short,
      long,
      '--format',
      'csv',
      '--memory-limit',
      '32MB',
      '--threads',
      '2',
      '--sandbox',
    ]);
    let stdout = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    const spilled = () =>
      readdirSync(temporary, { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.includes('spill/'),
      );
    await until(() => child.exitCode !== null || spilled().length > 0);
    for (const name of readdirSync(temporary))
      modes.add(statSync(join(temporary, name)).mode & 0o777);
    await once(child, 'close');
    expect(stdout).toContain('10000000');
    expect([...modes]).toEqual([0o700]);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('a signal removes it too', async () => {
    const child = start(['query', short, long, '--memory-limit', '32MB']);
    const ended = once(child, 'exit');
    const spilled = () =>
      readdirSync(temporary, { recursive: true, encoding: 'utf8' }).some((name) =>
        name.includes('spill/'),
      );
    await until(() => child.exitCode !== null || spilled());
    child.kill('SIGTERM');
    expect((await ended)[1]).toBe('SIGTERM');
    expect(readdirSync(temporary)).toEqual([]);
  });

  it.each(['5 apples', '1MB', '0'])('rejects the memory limit %s', async (size) => {
    const { exit, stderr } = await run(['query', short, sql, '--memory-limit', size]);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^sfkit: --memory-limit: /);
  });

  it('a saved query runs in a sandbox too', async () => {
    const queries = join(directory, 'queries');
    mkdirSync(queries);
    writeFileSync(
      join(queries, 'steal.sql'),
      "-- title: Steal\nselect * from read_text('/etc/passwd')\n",
    );
    const { exit, stdout, stderr } = await run(['query', short, '@steal', '--sandbox'], {
      SFKIT_QUERIES: queries,
    });
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expect(stderr).toContain('disabled by configuration');
    expect((await run(['query', short, '@children', '--sandbox'])).exit).toBe(0);
  });
});
