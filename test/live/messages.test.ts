import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';
import { liveTitle, noLive, testProgram } from '../helpers/live.js';
import { startLive } from '../helpers/live-run.js';

interface Call {
  count: number;
  own: number;
  peers: [number, number];
}

// The probe records the first 16 messages of a call. The calls follow each other in one thread, so
// each also shows that the one before left nothing.
const counts = [1, 2, 15, 16, 17, 40, 3];
const recorded = counts.map((count) => Math.min(count, 16));

describe.skipIf(noLive)(liveTitle('a call with many messages'), () => {
  let directory: string;
  let capture: string;
  let calls: Call[];
  let gaps: { id: string; count: number }[];
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sfkit-messages-'));
    capture = join(directory, 'x.scap');
    const out = join(directory, 'x.sf');
    const live = startLive(
      ['live', '--json', '--snaplen', '4', '-o', out].concat(['--write', capture]),
    );
    await live.capturing;
    const workload = testProgram('sfkit_workload');
    calls = execFileSync(workload, ['--messages', ...counts.map(String)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { exit, stdout } = await live.end('SIGINT');
    expect(exit).toBe(0);
    gaps = JSON.parse(stdout).gaps;
  }, 120_000);
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Result, size, data and tuple of each event of `name`. */
  function events(name: string) {
    const filter = `evt.type = ${name} and proc.name = sfkit_workload`;
    return execFileSync(
      process.execPath,
      [join(root, 'bin', 'run.js'), 'events', capture, '--json', '--filter', filter],
      { encoding: 'utf8' },
    )
      .trim()
      .split('\n')
      .map((line) => {
        const { res, size, data, tuple } = JSON.parse(line).args;
        return [res.raw, size.raw, data.text, tuple.text];
      });
  }

  const expected = (tuple: (call: Call, peer: number) => string) => [
    ...calls.flatMap((call, index) =>
      Array.from({ length: recorded[index] as number }, (_, i) => [
        i + 1,
        i + 1,
        'm'.repeat(Math.min(i + 1, 4)),
        tuple(call, call.peers[i % 2] as number),
      ]),
    ),
    [-9, 0, 'NULL', 'NULL'],
  ];

  it('has an event for each message that it sends, with its own size, data and receiver', () => {
    expect(events('sendmmsg')).toEqual(
      expected(({ own }, peer) => `127.0.0.1:${own}->127.0.0.1:${peer}`),
    );
  });

  it('has an event for each message that it receives, with its own size, data and sender', () => {
    expect(events('recvmmsg')).toEqual(
      expected(({ own }, peer) => `127.0.0.1:${peer}->127.0.0.1:${own}`),
    );
  });

  it('is counted if it has more than 16', () => {
    const calls = counts.filter((count) => count > 16).length;
    expect(gaps.find(({ id }) => id === 'many-messages')?.count).toBe(2 * calls);
  });
});
