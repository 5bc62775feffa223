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
  // Calls whose programs share code. The caller and the child both record a new process.
  { name: 'fork', number: 57, args: [], events: 2, parameters: { comm: 'sfkit_workload' } },
  { name: 'vfork', number: 58, args: [], events: 2, parameters: { comm: 'sfkit_workload' } },
  { name: 'clone3', number: 435, args: [0, 0], parameters: { res: -22, comm: 'sfkit_workload' } },
  {
    name: 'execve',
    number: 59,
    args: [1, 0, 0],
    only: 'evt.rawres < 0',
    parameters: { res: -14, filename: null },
  },
  { name: 'execveat', number: 322, args: [-1, 1, 0, 0, 0], parameters: { res: -14 } },
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

  it.each(calls)('has the parameters of $name', ({ name, parameters, ...call }) => {
    const only = 'only' in call ? ` and ${call.only}` : '';
    const filter = `evt.type = ${name} and proc.name = sfkit_workload${only}`;
    const lines = execFileSync(
      process.execPath,
      [join(root, 'bin', 'run.js'), 'events', capture, '--json', '--filter', filter],
      { encoding: 'utf8' },
    );
    const events = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toHaveLength('events' in call ? call.events : 1);
    expect(valuesOf(events[0])).toMatchObject(parameters);
  });
});
