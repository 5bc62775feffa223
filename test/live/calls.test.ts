import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';
import { liveTitle, noLive, testProgram } from '../helpers/live.js';
import { startLive } from '../helpers/live-run.js';

// One call each, with numbers as arguments, and the parameters that its event must have. The result
// is left out: it depends on what the machine allows.
const calls = [
  {
    name: 'io_uring_register',
    number: 427,
    args: [-1, 8, 4096, 3],
    parameters: { fd: -1, opcode: 8, arg: 4096, nr_args: 3 },
  },
] as const;

/** The values of the parameters, as numbers. */
function valuesOf(event: { args: Record<string, { raw: unknown }> }): Record<string, unknown> {
  return Object.fromEntries(Object.entries(event.args).map(([name, { raw }]) => [name, raw]));
}

describe.skipIf(noLive)(liveTitle('the event of a call'), () => {
  let directory: string;
  let capture: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sfkit-calls-'));
    capture = join(directory, 'x.scap');
    const live = startLive([
      'live',
      '--all-syscalls',
      '-o',
      join(directory, 'x.sf'),
      '--write',
      capture,
    ]);
    await live.capturing;
    for (const { number, args } of calls) {
      execFileSync(testProgram('sfkit_workload'), ['--call', `${number}`, ...args.map(String)]);
    }
    expect(await live.end('SIGINT')).toMatchObject({ exit: 0 });
  }, 120_000);
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each(calls)('has the parameters of $name', ({ name, parameters }) => {
    const filter = `evt.type = ${name} and proc.name = sfkit_workload`;
    const lines = execFileSync(
      process.execPath,
      [join(root, 'bin', 'run.js'), 'events', capture, '--json', '--filter', filter],
      { encoding: 'utf8' },
    );
    const events = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toHaveLength(1);
    expect(valuesOf(events[0])).toMatchObject(parameters);
  });
});
