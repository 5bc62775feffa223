import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixtures, root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

const directory = testDirectory();
const capture = join(fixtures, 'webserver.scap');

/** The files that a run of sfkit loads, below the project's directory. */
function loadedFiles(...args: string[]): string[] {
  // Node's coverage lists every script.
  const coverage = mkdtempSync(directory.path('coverage-'));
  // With another NODE_ENV, oclif looks for TypeScript sources in a clone.
  const env = { ...process.env, NODE_ENV: '', NODE_V8_COVERAGE: coverage };
  const { status } = spawnSync(process.execPath, [join(root, 'bin/run.js'), ...args], { env });
  expect(status).toBe(0);
  const [report] = readdirSync(coverage);
  const { result } = JSON.parse(readFileSync(join(coverage, report as string), 'utf8'));
  return result
    .map(({ url }: { url: string }) => url.replace(/^file:\/\//, ''))
    .filter((path: string) => path.startsWith(`${root}/`))
    .map((path: string) => path.slice(root.length + 1));
}

const inPackages = (files: string[]) => files.filter((file) => file.startsWith('node_modules/'));

describe('the command line', () => {
  it('lists the commands without oclif', () => {
    const files = loadedFiles('--help').map((file) => file.replace(/-[\w-]{8}\.cjs$/, ''));
    expect(files.sort()).toEqual([
      'bin/run.js',
      'dist/bundle/cli-main',
      'dist/bundle/rolldown-runtime',
      'dist/cli/load-bundle.js',
      'dist/cli/main.js',
    ]);
  });

  it('has its packages in the bundle, except native addons', () => {
    expect(inPackages(loadedFiles('info', capture))).toEqual([]);
    const others = inPackages(loadedFiles('query', capture, 'select 1'));
    expect(others.join('\n')).toContain('@duckdb/node-bindings');
    const native = /^node_modules\/(@duckdb\/node-bindings|detect-libc)/;
    expect(others.filter((file) => !native.test(file))).toEqual([]);
  });
});

it('the bundle has the license of each package in it', () => {
  const chunks = join(root, 'dist/bundle');
  const names = new Set(
    readdirSync(chunks)
      .filter((name) => name.endsWith('.cjs'))
      .flatMap((name) => [
        ...readFileSync(join(chunks, name), 'utf8').matchAll(
          /^\/\/ node_modules\/((?:@[^/]+\/)?[^/\n]+)/gm,
        ),
      ])
      .map(([, name]) => name as string),
  );
  const licenses = readFileSync(join(chunks, 'LICENSES.txt'), 'utf8');
  const listed = [...licenses.matchAll(/^(\S+) \d\S* \(.*\)$/gm)].map(([, name]) => name);
  expect(names.size).toBeGreaterThan(20);
  expect(listed.sort()).toEqual([...names].sort());
});
