import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtures, root } from '../helpers/corpus.js';

// Signals end a long conversion at several moments: during the engine's work, and while DuckDB, on its own thread, asks
// the main thread for rows.

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-signals-'));
  const [repeat, short] = [join(root, 'bench/repeat.mjs'), join(fixtures, 'webserver.scap')];
  expect(spawnSync(process.execPath, [repeat, short, join(directory, 'long.scap'), '60']).status).toBe(0);
});
afterAll(() => rmSync(directory, { recursive: true }));

const patience = 10_000;

/** Converts, sends the signal after `delay` ms, and returns how the process ended. */
function interrupted(signal: NodeJS.Signals, output: string, delay: number) {
  const args = [join(root, 'bin/run.js'), 'convert', 'long.scap', '-f', 'parquet', '-o', output];
  const child = spawn(process.execPath, args, { cwd: directory, stdio: 'ignore' });
  return new Promise<{ code: number | null; signal: string | null; hung: boolean }>((resolve, reject) => {
    let hung = false;
    const timers = [setTimeout(() => child.kill(signal), delay)];
    timers.push(
      setTimeout(() => {
        hung = true;
        child.kill('SIGKILL');
      }, delay + patience),
    );
    child.on('error', reject);
    child.on('exit', (code, by) => {
      for (const timer of timers) clearTimeout(timer);
      resolve({ code, signal: by, hung });
    });
  });
}

const cases = [
  ['SIGINT', 'tables/'],
  ['SIGTERM', 'tables/'],
  ['SIGTERM', 'one.parquet'],
  ['SIGHUP', 'tables/'],
] as const;

/** Names and sizes of all files except the input. */
function outputs(): [string, number][] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name !== 'long.scap');
  return names
    .sort()
    .map((name) => [name, statSync(join(directory, name))] as const)
    .map(([name, at]) => [name, at.isFile() ? at.size : 0]);
}

describe('a signal during a conversion', () => {
  it.each(cases)('%s to %s ends it soon and leaves nothing', async (signal, output) => {
    const ends = [];
    const args = [join(root, 'bin/run.js'), 'convert', 'long.scap', '-f', 'parquet', '-o', output];
    expect(spawnSync(process.execPath, args, { cwd: directory }).status).toBe(0);
    const whole = outputs();
    rmSync(join(directory, output), { recursive: true });
    for (let delay = 250; delay <= 850; delay += 100) {
      const end = await interrupted(signal, output, delay);
      const at = `after ${delay} ms`;
      expect(end.hung, at).toBe(false);
      ends.push(end.signal);
      // It may have finished before the signal; then the output is complete.
      if (end.signal === null) expect(end.code, at).toBe(0);
      expect(end.signal === null ? [whole] : [[], whole], at).toContainEqual(outputs());
      rmSync(join(directory, output), { recursive: true, force: true });
    }
    expect(ends).toContain(signal);
  });
});
