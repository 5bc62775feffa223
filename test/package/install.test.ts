import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

const directory = testDirectory();

describe('npm’s install step', () => {
  let programs: string;
  beforeEach(() => {
    programs = directory.path('programs');
    mkdirSync(programs);
    // The scripts of a package, without tsconfig.json, which would make it a clone.
    cpSync(join(root, 'scripts'), directory.path('package', 'scripts'), { recursive: true });
    for (const name of ['apt-get', 'sudo', 'dnf', 'apk', 'brew']) {
      stub(name, `echo "${name} $*" >> "${directory.path('calls')}"`);
    }
  });
  /** A stub that is the only program of its name. */
  const stub = (name: string, script: string) => {
    writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(programs, name), 0o755);
  };
  const install = () =>
    spawnSync(process.execPath, [directory.path('package', 'scripts', 'install.mjs')], {
      env: { PATH: programs },
      encoding: 'utf8',
    });

  it('names what is missing and how to install it, and installs nothing', () => {
    const { status, stderr } = install();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^sfkit set-up: missing: CMake, a C\+\+20 compiler, make or ninja, the zlib headers\./,
    );
    expect(stderr).toContain('sudo apt-get install cmake g++ make zlib1g-dev\n');
    expect(existsSync(directory.path('calls'))).toBe(false);
  });

  it('names only what is missing', () => {
    for (const name of ['cmake', 'make', 'c++']) stub(name, 'exit 0');
    stub('g++', 'exit 0');
    writeFileSync(
      join(programs, 'c++'),
      '#!/bin/sh\nread code\ncase "$*$code" in *zlib*) exit 1;; esac\n',
    );
    const { status, stderr } = install();
    expect(status).toBe(1);
    expect(stderr).toContain('missing: the zlib headers.');
    expect(stderr).toContain('sudo apt-get install zlib1g-dev\n');
    expect(existsSync(directory.path('calls'))).toBe(false);
  });
});
