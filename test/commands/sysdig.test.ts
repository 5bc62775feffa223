import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';

// Every command of docs/sysdig.md runs.

const commands = readFileSync(join(root, 'docs/sysdig.md'), 'utf8')
  .split('\n')
  .map((line) => /^\| .* \| `(sfkit .*)` \|$/.exec(line)?.[1])
  .filter((command) => command !== undefined);

/** Live capture needs privileges; test/live tests it. */
const isLive = (command: string) => /^sfkit (live|record)\b/.test(command);

it('covers flags, chisels and views', () => {
  expect(commands.length).toBeGreaterThan(70);
  expect(commands.filter(isLive).length).toBe(3);
});

describe.concurrent('each command runs', () => {
  it.each([...new Set(commands)].filter((command) => !isLive(command)))(
    '%s',
    (command) => {
      const shell = command
        .replace(/^sfkit/, `"${process.execPath}" "${join(root, 'bin/run.js')}"`)
        .replaceAll('fixtures/', `${join(root, 'fixtures')}/`);
      const { stdout, stderr, status } = spawnSync('sh', ['-c', shell], { encoding: 'utf8' });
      expect(stderr.replace(/^sfkit: .* skipped .*\n/gm, '')).toBe('');
      expect(status).toBe(0);
      // A filter can pass nothing.
      if (!command.startsWith('sfkit events')) expect(stdout).not.toBe('');
    },
    60_000,
  );
});
