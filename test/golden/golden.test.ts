import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { budgetOf, Workplace } from '../helpers/cli.js';
import { root } from '../helpers/corpus.js';

// A case is a folder: bash runs `cmd` in a directory that contains only `fixtures`. The expected
// results are `stdout`, `stderr` and `exit` (0 if the file is missing). SFKIT_UPDATE_GOLDEN=1
// rewrites them.

const golden = join(root, 'test/golden');
const cases = readdirSync(golden, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

describe.concurrent('the command', () => {
  for (const name of cases) {
    it(name, { timeout: budgetOf(readFileSync(join(golden, name, 'cmd'), 'utf8')) }, async () => {
      const own = new Workplace();
      try {
        await check(name, own);
      } finally {
        own.remove();
      }
    });
  }
});

async function check(name: string, place: Workplace): Promise<void> {
  const file = (part: string) => join(golden, name, part);
  const result = await place.run(readFileSync(file('cmd'), 'utf8'));
  const actual = {
    stdout: steady(result.stdout),
    stderr: steady(result.stderr),
    exit: `${result.exit}\n`,
  };
  if (process.env.SFKIT_UPDATE_GOLDEN) {
    for (const [part, text] of Object.entries(actual)) {
      if (text !== '' && !(part === 'exit' && text === '0\n')) writeFileSync(file(part), text);
    }
  }
  const expected = (part: string, missing: string) =>
    existsSync(file(part)) ? readFileSync(file(part), 'utf8') : missing;
  expect(actual).toEqual({
    stdout: expected('stdout', ''),
    stderr: expected('stderr', ''),
    exit: expected('exit', '0\n'),
  });
}

/** Replaces what varies between runs: durations. */
function steady(text: string): string {
  return text
    .replace(/ in \d+\.\d+ s \([\d,]+ events\/s\)/g, ' in N s (N events/s)')
    .replace(/"seconds": [\d.e-]+/g, '"seconds": 0')
    .replace(/"eventsPerSecond": \d+/g, '"eventsPerSecond": 0');
}
