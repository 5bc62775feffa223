import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtures, root } from '../helpers/corpus.js';

// A long conversion is ended at several moments: while records are made, and while DuckDB, on a thread of its
// own, asks the main thread for rows.

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-signals-'));
  const [repeat, short] = [join(root, 'bench/repeat.mjs'), join(fixtures, 'webserver.scap')];
  expect(spawnSync(process.execPath, [repeat, short, join(directory, 'long.scap'), '60']).status).toBe(0);
});
afterAll(() => rmSync(directory, { recursive: true }));

const patience = 10_000;

/** Converts, sends the signal after `delay` ms, and tells how the process ended. */
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

describe('a signal during a conversion', () => {
  it.each(cases)('%s to %s ends it soon, and nothing stays', async (signal, output) => {
    const ends = [];
    for (let delay = 250; delay <= 850; delay += 100) {
      const end = await interrupted(signal, output, delay);
      const at = `after ${delay} ms`;
      expect(end.hung, at).toBe(false);
      ends.push(end.signal);
      // A quick machine may have been done before.
      if (end.signal === null) expect(end.code, at).toBe(0);
      else expect(readdirSync(directory), at).toEqual(['long.scap']);
      rmSync(join(directory, output), { recursive: true, force: true });
    }
    expect(ends).toContain(signal);
  });
});
