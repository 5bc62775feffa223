import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixtures, root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

const capture = join(fixtures, 'webserver.scap');
const directory = testDirectory();
const minute = 60_000;

/** Runs a program and returns its standard output. */
function run(cwd: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  });
}

describe('a project that installs the packed tarball', () => {
  it(
    'imports sfkit, typed, and runs the examples',
    () => {
      const project = directory.path('project');
      mkdirSync(project);
      // Everything is built; the test packs the same build that it runs on.
      run(root, 'npm', 'pack', '--silent', '--pack-destination', directory.path());
      const tarball = readdirSync(directory.path()).find((name) => name.endsWith('.tgz')) as string;
      writeFileSync(
        join(project, 'package.json'),
        JSON.stringify({ name: 'project', type: 'module', private: true }),
      );
      run(
        project,
        'npm',
        'install',
        '--silent',
        '--no-audit',
        '--no-fund',
        '--prefer-offline',
        directory.path(tarball),
      );

      const installed = join(project, 'node_modules', 'sfkit');
      const example = (name: string, ...args: string[]) => {
        writeFileSync(join(project, name), readFileSync(join(installed, 'examples/node', name)));
        return run(project, 'node', name, ...args)
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
      };
      const calls = example('callback.mjs', capture, 'proc.name = curl');
      expect(calls.length).toBeGreaterThan(3);
      for (const [, , exe] of calls) expect(exe).toMatch(/curl$/);
      expect(example('batches.mjs', capture).length).toBeGreaterThan(0);
      expect(example('records.mjs', capture).length).toBeGreaterThan(0);
      expect(run(project, 'npx', 'sfkit', 'fields', 'fd.num')).toContain('fd.num');

      writeFileSync(join(project, 'typed.ts'), typed);
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const flags = [
        '--noEmit',
        '--strict',
        '--module',
        'nodenext',
        '--target',
        'es2022',
        '--skipLibCheck',
      ];
      run(
        project,
        'node',
        tsc,
        ...flags,
        '--typeRoots',
        join(root, 'node_modules/@types'),
        'typed.ts',
      );
    },
    8 * minute,
  );
});

/** What the types must allow: narrowing the union by `type`, 64-bit numbers as bigint. */
const typed = `
import { openCapture, SysFlowDriver, SysFlowError, type CaptureRecord, type SysFlowConfig } from 'sfkit';
const config: SysFlowConfig = { scapInputPath: 'a.scap', callback: (header, container, process, file1, file2, record) => {
  const bytes: bigint = record.type === 'FileFlow' ? record.numRRecvBytes : 0n;
  void [header.exporter, container?.image, process?.oid.hpid, file1?.path, file2?.path, bytes];
} };
const driver = new SysFlowDriver(config);
const version: string = driver.version;
const path = (record: CaptureRecord): string | undefined => (record.type === 'File' ? record.path : undefined);
for await (const record of openCapture('a.scap', { filter: 'proc.name = a' })) void path(record);
for await (const batch of openCapture('a.scap').batches()) void batch.numRows;
void driver.run().catch((error) => error instanceof SysFlowError && error.code === 'LibsError');
void version;
`;

const publicHeaders = [
  'address.h',
  'checks.h',
  'config.h',
  'driver.h',
  'environment.h',
  'log.h',
  'records.h',
  'status.h',
  'version.h',
];

describe('a C++ program', () => {
  it(
    'builds against the installed engine and reads a capture',
    () => {
      const build = join(root, 'native/build');
      const prefix = directory.path('prefix');
      run(root, 'cmake', '--install', build, '--component', 'engine', '--prefix', prefix);
      expect(readdirSync(join(prefix, 'include/sfkit')).sort()).toEqual(publicHeaders);
      const project = join(root, 'examples/cpp');
      run(
        root,
        'cmake',
        '-S',
        project,
        '-B',
        directory.path('build'),
        `-DCMAKE_PREFIX_PATH=${prefix}`,
      );
      run(root, 'cmake', '--build', directory.path('build'));
      const lines = run(root, directory.path('build', 'consumer'), capture, 'proc.name = curl')
        .trim()
        .split('\n');
      expect(lines.length).toBeGreaterThan(3);
      for (const line of lines)
        expect(line).toMatch(/^(ProcessEvent|NetworkFlow|FileFlow|FileEvent|ProcessFlow) \S*curl/);
      // Each header compiles alone.
      for (const name of publicHeaders) {
        writeFileSync(directory.path('alone.cpp'), `#include <sfkit/${name}>\n`);
        run(
          root,
          'c++',
          '-std=c++20',
          '-fsyntax-only',
          `-I${join(prefix, 'include')}`,
          directory.path('alone.cpp'),
        );
      }
    },
    5 * minute,
  );
});
