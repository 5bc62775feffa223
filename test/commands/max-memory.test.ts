import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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
  // Ways that keep what the captures are about.
  it.each([
    ['unknown_threads', 200_000, 'threads with their tables', ['compat', 'avro', 'columns', 'events', 'info']],
    ['fork_fds_and_open', 40_000, 'processes with tables of their own', ['compat', 'avro', 'columns', 'events', 'info']],
    ['accepts', 200_000, 'connections', ['avro', 'columns', 'events', 'info']],
    ['datagrams', 300_000, 'flows of one socket', ['avro', 'columns']],
    ['long_arguments', 3000, 'long texts', ['compat', 'avro', 'columns', 'events', 'info']],
  ])('bounds the memory of %s (%i %s)', async (kind, size, _what, ways) => {
    const without = await memory(kind, size);
    const within = await memory(kind, size, limit);
    for (const way of ways) {
      expect(without.get(way), way).toBeGreaterThan(80);
      expect(within.get(way), way).toBeLessThan(48);
    }
  }, 300_000);
});
