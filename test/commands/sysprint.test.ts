import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from '../helpers/cli.js';
import { root } from '../helpers/corpus.js';

// Every command of the section sysprint of docs/collector.md runs.

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

const [, section = ''] = readFileSync(join(root, 'docs/collector.md'), 'utf8').split(
  '\n## sysprint\n',
);
const commands = section
  .split('\n')
  .map((line) => /^\| .* \| `(sfkit .*)` \|$/.exec(line)?.[1])
  .filter((command) => command !== undefined);

it('covers the options', () => {
  expect(commands.length).toBeGreaterThan(14);
});

describe('each command runs', () => {
  it.each(commands)(
    '%s',
    async (command) => {
      const { stdout, stderr, exit } = await place.run(command);
      expect(stderr.replace(/^sfkit: .* skipped .*\n/gm, '')).toBe('');
      expect(exit).toBe(0);
      const written = / -o (\S+)/.exec(command)?.[1];
      const text =
        written === undefined ? stdout : readFileSync(join(place.directory, written), 'utf8');
      expect(text).not.toBe('');
    },
    60_000,
  );
});
