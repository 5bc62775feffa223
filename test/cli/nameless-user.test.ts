import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixtures, root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

const mayBecomeOthers = process.getuid?.() === 0;
const reason = mayBecomeOthers ? '' : ' (skipped: only root can become a user without a name)';
const directory = testDirectory();

/** Runs sfkit with no other environment, as a user that the password database does not know. */
function asNobodyKnown(args: readonly string[], environment: Record<string, string>) {
  return spawnSync(process.execPath, [join(root, 'bin/run.js'), ...args], {
    uid: 54321,
    gid: 54321,
    env: environment,
    encoding: 'utf8',
  });
}

describe.skipIf(!mayBecomeOthers)(`a user without a name${reason}`, () => {
  it.each([{}, { HOME: '/' }, { SHELL: '/bin/sh' }])(
    'converts and asks with the environment %j',
    (environment: Record<string, string>) => {
      const capture = join(fixtures, 'webserver.scap');
      const converted = asNobodyKnown(['convert', capture, '-f', 'jsonl', '-o', '-', '--table', 'file'], environment);
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

  it('meets no plugins of a home directory, and no complaint that it cannot be read', () => {
    const home = directory.path('home');
    chmodSync(directory.path(), 0o700);
    expect(asNobodyKnown(['--version'], { HOME: home, PATH: '/usr/bin:/bin' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });
});
