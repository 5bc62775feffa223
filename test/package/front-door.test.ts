import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

const directory = testDirectory();
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const listed = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', ...patterns], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);

describe('pages for contributors', () => {
  it('link only to existing files', () => {
    const broken = listed('*.md').flatMap((page) =>
      [...read(page).matchAll(/\]\((?!\w+:)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => target as string)
        .filter((target) => !existsSync(join(root, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it.each(['CONTRIBUTING.md', 'docs/releasing.md', 'SECURITY.md'])(
    '%s names only scripts and paths that are there',
    (page) => {
      const text = read(page);
      const { scripts } = JSON.parse(read('package.json'));
      for (const [, name] of text.matchAll(/npm run ([\w:]+)/g))
        expect(scripts).toHaveProperty([name as string]);
      const paths = [
        ...text.matchAll(/(?<![\w/.-])(?:src|test|native|scripts|docs|fixtures|bin)\/[\w./-]*\w/g),
      ];
      expect(paths.length).toBeGreaterThan(2);
      // Names in capitals are placeholders; a build creates its own files.
      const missing = paths
        .map(([path]) => path)
        .filter((path) => !/[A-Z]{3,}|^native\/build/.test(path) && !existsSync(join(root, path)));
      expect(missing).toEqual([]);
    },
  );

  it('name only variables that the code uses', () => {
    const names = [...read('CONTRIBUTING.md').matchAll(/`(SFKIT_\w+)=/g)].map(
      ([, name]) => name as string,
    );
    const code = listed('scripts', 'src', 'test').map(read).join('\n');
    for (const name of names) expect(code).toContain(`env.${name}`);
  });
});

describe('the workflows', () => {
  it.each(listed('.github/workflows/*.yml'))('%s runs with few rights', (name) => {
    const workflow = parse(read(name));
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(Object.keys(workflow.jobs).length).toBeGreaterThan(0);
  });

  it('call the checks of CI', () => {
    for (const name of ['ci', 'release'])
      expect(read(`.github/workflows/${name}.yml`)).toMatch(/run: \.ci\/run$/m);
    expect(read('.ci/run')).toMatch(/^export SFKIT_STRICT=1$/m);
    expect(statSync(join(root, '.ci/run')).mode & 0o111).not.toBe(0);
  });
});

describe('the hook before a commit', () => {
  /**
   * A repository with one staged file, and a formatter that rejects each file that contains
   * 'badly'.
   */
  function commitOf(name: string, text: string, formatter: string) {
    const repository = directory.path('repository');
    mkdirSync(join(repository, 'scripts/hooks'), { recursive: true });
    mkdirSync(join(repository, 'native'));
    cpSync(join(root, 'scripts/hooks/pre-commit'), join(repository, 'scripts/hooks/pre-commit'));
    const programs = directory.path('programs');
    mkdirSync(programs);
    writeFileSync(join(programs, 'clang-format-14'), `#!/bin/sh\n${formatter}\n`, { mode: 0o755 });
    const git = (...args: string[]) =>
      spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
        cwd: repository,
        encoding: 'utf8',
        env: { PATH: `${programs}:${process.env.PATH}`, HOME: repository },
      });
    git('init', '--quiet');
    git('config', 'core.hooksPath', 'scripts/hooks');
    writeFileSync(join(repository, name), text);
    git('add', name);
    return git('commit', '--quiet', '-m', 'One');
  }
  const complains = 'shift 2; ! grep -l badly "$@"';

  it('accepts formatted files', () => {
    expect(commitOf('native/a.cpp', 'int well;\n', complains).status).toBe(0);
  });

  it('rejects unformatted files and says how to fix them', () => {
    const { status, stderr } = commitOf('native/a.cpp', 'int badly;\n', complains);
    expect(status).toBe(1);
    expect(stderr).toContain('npm run format');
  });

  it('checks only C++ of the project', () => {
    expect(commitOf('a.txt', 'badly\n', complains).status).toBe(0);
  });
});
