import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textWidth } from '../../src/draw/width.js';
import { fixtures, root } from '../helpers/corpus.js';

// Output on a terminal: commands run on a pseudo-terminal of a given size, created by `script`
// (util-linux).

const hasScript =
  spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] }).status ===
  0;
if (!hasScript) console.warn('skipped: terminals need script of util-linux');

/** In ms; a case runs many commands. */
const timeout = 180_000;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-terminal-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const capture = join(fixtures, 'webserver.scap');
const path = (name: string) => join(directory, name);
const sfkit = (args: string) => `'${process.execPath}' '${join(root, 'bin/run.js')}' ${args}`;

interface Terminal {
  columns?: number;
  rows?: number;
  env?: Record<string, string>;
  /** Keys to press when the text before them appears. */
  keys?: readonly (readonly [seen: string, keys: string])[];
}

/** Runs a shell command on a terminal; returns the output, with \n as line ends. */
function shown(command: string, { columns = 80, rows = 200, env = {}, keys = [] }: Terminal = {}) {
  const { NO_COLOR, FORCE_COLOR, PAGER, LESS, ...own } = process.env;
  // Ctrl-C goes to the command; the shell waits for its end.
  const script = `trap : INT; stty cols ${columns} rows ${rows}; ${command}`;
  const child = spawn('script', ['-qec', script, '/dev/null'], {
    cwd: directory,
    env: { ...own, TERM: 'xterm', NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const pending = [...keys];
  let text = '';
  return new Promise<{ text: string; exit: number | null }>((resolve, reject) => {
    child.on('error', reject);
    child.stdout.setEncoding('utf8').on('data', (part) => {
      text += part;
      while (pending[0] !== undefined && text.includes(pending[0][0]))
        child.stdin.write(pending.shift()?.[1] as string);
    });
    child.on('close', (exit) => resolve({ text: text.replaceAll('\r\n', '\n'), exit }));
  });
}

describe.runIf(hasScript)('on a terminal (needs script)', { timeout }, () => {
  it.each([80, 100, 200])('of %i columns no line is wider', async (columns) => {
    const commands = [
      `query ${capture} 'from network_flow limit 2'`,
      `query ${capture} 'select ts, proc_exe, proc_args, res, flow_rbytes from sysflow'`,
      `show ${capture}`,
      `info ${capture} --events`,
      'fields',
      'doctor',
    ];
    const { text } = await shown(commands.map((args) => sfkit(args)).join(';'), {
      columns,
      rows: 10_000,
    });
    expect(text.split('\n').length).toBeGreaterThan(500);
    expect(text.split('\n').filter((line) => textWidth(line) > columns)).toEqual([]);
  });

  it('a row that does not fit is a block, and empty columns are named', async () => {
    const { text } = await shown(sfkit(`query ${capture} 'from network_flow limit 2'`), {
      columns: 100,
    });
    expect(text).toMatch(/^─\[ 1 ]─+┬─+\nidx +│ \d+\n/);
    expect(text).toMatch(/\n─\[ 2 ]─+┬─+\nidx +│ \d+\n/);
    expect(text).toMatch(/\n\d+ empty columns left out \(--format json has all\): /);
  });

  it('the first 100 rows are drawn, or the requested number', async () => {
    const rows = (text: string) => text.match(/^│ +\d+ │$/gm)?.length;
    const query = (more: string) =>
      shown(sfkit(`query ${capture} 'from range(250)' ${more}`), { rows: 1000 });
    const usual = await query('');
    expect(rows(usual.text)).toBe(100);
    expect(usual.text).toMatch(/\n… 150 more rows \(-n N draws N of them, --all draws all\)\n$/);
    const some = await query('-n 7');
    expect(rows(some.text)).toBe(7);
    expect(some.text).toContain('… 243 more rows');
    const all = await query('--all');
    expect(rows(all.text)).toBe(250);
    expect(all.text).not.toContain('more rows');
    const records = await shown(sfkit(`show ${capture} -n 3`));
    expect(records.text).toMatch(/\n… \d+ more rows /);
  });

  it('counting the rest ends in time', async () => {
    const endless = 'select a.range from range(1000000000000) a';
    const { text, exit } = await shown(sfkit(`query ${capture} '${endless}' -n 2`));
    // A busy machine may count none in that time.
    expect(text).toMatch(/\n… (more than [\d,]+ )?more rows \(/);
    expect(exit).toBe(0);
  });

  it('output is colored, unless NO_COLOR or TERM forbids it', async () => {
    const colors = async (env: Record<string, string>) =>
      (await shown(sfkit(`query ${capture} 'select null as a, 1 as b'`), { env })).text.match(
        /\x1b\[\d*m/g,
      )?.length ?? 0;
    expect(await colors({ NO_COLOR: '' })).toBeGreaterThan(0);
    expect(await colors({ NO_COLOR: '1' })).toBe(0);
    expect(await colors({ NO_COLOR: '', TERM: 'dumb' })).toBe(0);
  });

  it('nothing is fitted or colored for a file or pipe', async () => {
    const query = sfkit(`query ${capture} 'from network_flow'`);
    const env = { NO_COLOR: '', FORCE_COLOR: '1', COLUMNS: '40' };
    await shown(`${query} | cat > piped; ${query} -o named; ${query} > redirected`, {
      env,
      columns: 40,
    });
    const { stdout } = spawnSync('sh', ['-c', query], { encoding: 'utf8', maxBuffer: 1 << 28 });
    for (const name of ['piped', 'named', 'redirected'])
      expect(readFileSync(path(name), 'utf8')).toBe(stdout);
    expect(stdout).not.toContain('…');
    expect(stdout).not.toContain('\x1b');
  });
});

describe.runIf(hasScript)('the pager (needs script)', { timeout }, () => {
  const long = `query ${capture} 'from range(60)'`;
  const short = `query ${capture} 'from range(3)'`;
  /** A pager that copies its input to a file. */
  const copying = { SFKIT_PAGER: 'cat > paged', PAGER: 'false' };
  const paged = () => (existsSync(path('paged')) ? readFileSync(path('paged'), 'utf8') : undefined);

  it('gets only output that is longer than the screen', async () => {
    const direct = await shown(sfkit(long), { rows: 1000 });
    for (const [command, rows, uses] of [
      [long, 64, true],
      [long, 65, false],
      [short, 7, true],
      [short, 8, false],
      [`${long} --no-pager`, 10, false],
      [`events ${capture} --to 40`, 20, true],
      // Fewer lines than the screen, most of them longer than its width.
      [`events ${capture} --to 10`, 12, true],
      ['fields', 20, true],
    ] as const) {
      rmSync(path('paged'), { force: true });
      const { text, exit } = await shown(sfkit(command), { rows, env: copying });
      expect(exit, command).toBe(0);
      expect(paged() !== undefined, `${command} on ${rows} lines`).toBe(uses);
      if (command === long) expect(uses ? paged() : text).toBe(direct.text);
    }
  });

  it('is not used without an interactive terminal', async () => {
    rmSync(path('paged'), { force: true });
    const { text } = await shown(`${sfkit(long)} < /dev/null`, { rows: 10, env: copying });
    expect(text).toContain('│    59 │');
    await shown(sfkit(long), { rows: 10, env: { ...copying, TERM: 'dumb' } });
    await shown(`${sfkit(long)} > file`, { rows: 10, env: copying });
    expect(paged()).toBeUndefined();
  });

  it.each(['sfkit-no-such-pager', ''])('that is %j leaves the output as it is', async (command) => {
    const { text, exit } = await shown(sfkit(long), { rows: 10, env: { SFKIT_PAGER: command } });
    expect(text.slice(text.indexOf('┌'))).toBe((await shown(sfkit(long), { rows: 1000 })).text);
    expect(exit).toBe(0);
  });

  it('can end early', async () => {
    const endless = `query ${capture} 'select a.range from range(1000000000000) a' --all`;
    const { text, exit } = await shown(sfkit(endless), {
      rows: 10,
      env: { SFKIT_PAGER: 'head -n 2' },
    });
    expect(text.split('\n')).toHaveLength(3);
    expect(text).not.toContain('sfkit:');
    expect(exit).toBe(0);
  });

  it('ends before messages are printed', async () => {
    const damaged = path('damaged.scap');
    writeFileSync(damaged, readFileSync(capture).subarray(0, 40_000));
    const pager = { SFKIT_PAGER: 'cat > paged; echo pager ended' };
    const { text, exit } = await shown(sfkit(`query ${damaged} 'from sysflow'`), {
      rows: 10,
      env: pager,
    });
    expect(text).toMatch(/^pager ended\nsfkit: .*is damaged/);
    expect(exit).toBe(3);
  });

  it('handles Ctrl-C itself; the output ends', async () => {
    const endless = `query ${capture} 'select a.range from range(1000000000000) a' --all`;
    // Reads on after the signal until the output ends.
    writeFileSync(
      path('patient'),
      'trap "echo interrupted" INT; IFS= read -r line; echo reading; cat > /dev/null; cat > /dev/null; echo end\n',
    );
    const { text, exit } = await shown(sfkit(endless), {
      rows: 10,
      env: { SFKIT_PAGER: `sh ${path('patient')}` },
      keys: [['reading', '\x03']],
    });
    expect(text).toContain('end\n');
    expect(text).not.toContain('sfkit:');
    expect(exit).toBe(0);
  });

  it.runIf(spawnSync('less', ['--version']).status === 0)(
    'is less by default (needs less)',
    async () => {
      const { SFKIT_PAGER: _, ...env } = process.env as Record<string, string>;
      const { text, exit } = await shown(sfkit(long), {
        rows: 10,
        env,
        keys: [
          [':', 'G'],
          ['(END)', 'q'],
        ],
      });
      expect(text).toContain('│    59 │');
      expect(exit).toBe(0);
    },
  );
});
