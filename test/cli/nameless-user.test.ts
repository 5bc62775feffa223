import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixtures, root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

const stranger = { uid: 54321, gid: 54321 };

/** Why the test cannot run here; '' if it can. */
function obstacle(): string {
  if (process.getuid?.() !== 0) return ' (skipped: only root can become a user without a name)';
  const reads = spawnSync(
    process.execPath,
    ['-e', `fs.readFileSync(${JSON.stringify(join(root, 'bin/run.js'))})`],
    stranger,
  );
  return reads.status === 0 ? '' : ' (skipped: others cannot read this directory)';
}

const reason = obstacle();
const directory = testDirectory();

/** Runs sfkit with only this environment, as a user without an entry in the password database. */
function asNobodyKnown(args: readonly string[], environment: Record<string, string>) {
  return spawnSync(process.execPath, [join(root, 'bin/run.js'), ...args], {
    ...stranger,
    env: environment,
    encoding: 'utf8',
  });
}

describe.skipIf(reason !== '')(`a user without a name${reason}`, () => {
  it.each([{}, { HOME: '/' }, { SHELL: '/bin/sh' }])(
    'converts and queries with the environment %j',
    (environment: Record<string, string>) => {
      const capture = join(fixtures, 'webserver.scap');
      const converted = asNobodyKnown(
        ['convert', capture, '-f', 'jsonl', '-o', '-', '--table', 'file'],
        environment,
      );
      expect(converted).toMatchObject({ status: 0 });
      expect(converted.stdout).toMatch(/^\{.*\}\n$/s);
      const asked = asNobodyKnown(
        ['query', capture, 'select count(*) > 0 as any from process', '--format', 'jsonl'],
        environment,
      );
      expect(asked).toMatchObject({ status: 0, stderr: '' });
      expect(JSON.parse(asked.stdout)).toEqual({ any: true });
    },
  );

  it('loads no plugins from a home directory, and does not complain that it is unreadable', () => {
    const home = directory.path('home');
    chmodSync(directory.path(), 0o700);
    expect(asNobodyKnown(['--version'], { HOME: home, PATH: '/usr/bin:/bin' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });
});
