import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtures, root } from '../helpers/corpus.js';
import { until } from '../helpers/until.js';

// Signals end a long conversion at several moments: during the engine's work, and while DuckDB, on
// its own thread, asks the main thread for rows.

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-signals-'));
  const [repeat, short] = [join(root, 'bench/repeat.mjs'), join(fixtures, 'webserver.scap')];
  expect(
    spawnSync(process.execPath, [repeat, short, join(directory, 'long.scap'), '30']).status,
  ).toBe(0);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Maximum ms until a process ends. */
const patience = 60_000;

/** Converts, sends the signal once `isTime` returns true, and returns how the process ended. */
async function interrupted(signal: NodeJS.Signals, output: string, isTime: () => boolean) {
  const args = [join(root, 'bin/run.js'), 'convert', 'long.scap', '-f', 'parquet', '-o', output];
  const child = spawn(process.execPath, args, { cwd: directory, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await until(() => child.exitCode !== null || isTime());
  child.kill(signal);
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, patience);
  const [code, by] = await ended;
  clearTimeout(timer);
  return { code, signal: by, hung };
}

const cases = [
  ['SIGINT', 'tables/'],
  ['SIGTERM', 'tables/'],
  ['SIGTERM', 'one.parquet'],
  ['SIGHUP', 'tables/'],
] as const;

/** Names and sizes of all files except the input. */
function outputs(): [string, number][] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name !== 'long.scap',
  );
  return names
    .sort()
    .map((name) => [name, statSync(join(directory, name))] as const)
    .map(([name, at]) => [name, at.isFile() ? at.size : 0]);
}

/** Bytes of all outputs, complete or unfinished. */
const written = () => outputs().reduce((sum, [, size]) => sum + size, 0);

describe('a signal during a conversion', () => {
  it.each(cases)(
    '%s to %s ends it soon and leaves nothing',
    { timeout: 600_000 },
    async (signal, output) => {
      const ends = [];
      const args = [
        join(root, 'bin/run.js'),
        'convert',
        'long.scap',
        '-f',
        'parquet',
        '-o',
        output,
      ];
      expect(spawnSync(process.execPath, args, { cwd: directory }).status).toBe(0);
      const whole = outputs();
      const size = written();
      rmSync(join(directory, output), { recursive: true });
      const moments: [string, () => boolean][] = [
        ['at its start', () => true],
        ['when its output is begun', () => outputs().length > 0],
        ...[0.01, 0.3, 0.6, 0.9].map((part): [string, () => boolean] => [
          `when ${part} is written`,
          () => written() >= part * size,
        ]),
      ];
      for (const [moment, isTime] of moments) {
        const end = await interrupted(signal, output, isTime);
        expect(end.hung, moment).toBe(false);
        ends.push(end.signal);
        // It may have finished before the signal; then the output is complete.
        if (end.signal === null) expect(end.code, moment).toBe(0);
        expect(end.signal === null ? [whole] : [[], whole], moment).toContainEqual(outputs());
        rmSync(join(directory, output), { recursive: true, force: true });
      }
      expect(ends).toContain(signal);
    },
  );
});
