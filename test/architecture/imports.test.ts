import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';

// The layers of docs/architecture.md: which folder may import from which. A folder may always
// import from itself. Type imports count too.

/** Folders of src/. `.` means the files of src/ itself. */
const typescript: Record<string, readonly string[]> = {
  engine: [],
  draw: ['engine'],
  records: ['engine'],
  output: ['engine', 'records'],
  duckdb: ['engine', 'output'],
  export: ['engine', 'draw', 'output', 'duckdb'],
  capture: ['engine', 'records', 'export'],
  query: ['engine', 'draw', 'output', 'duckdb', 'export'],
  views: ['engine', 'draw', 'output', 'duckdb', 'export', 'query'],
  convert: ['engine', 'records', 'output', 'duckdb', 'export', 'query'],
  check: ['engine', 'draw', 'output', 'duckdb', 'export', 'query'],
  show: ['engine', 'draw', 'output', 'duckdb', 'export', 'query', 'convert', 'check'],
  live: ['engine', 'draw', 'records', 'output', 'export'],
  driver: ['engine', 'records', 'output', 'live'],
  cli: [
    'engine',
    'draw',
    'output',
    'duckdb',
    'export',
    'capture',
    'query',
    'views',
    'convert',
    'check',
    'live',
    'driver',
  ],
  commands: [
    'engine',
    'draw',
    'output',
    'duckdb',
    'export',
    'query',
    'views',
    'convert',
    'check',
    'show',
    'live',
    'driver',
    'cli',
  ],
  '.': ['engine', 'records', 'duckdb', 'export', 'capture', 'convert', 'check', 'driver'],
};

/**
 * Folders of native/src. `.` means its own files, which join the parts; `probe` is what loader and
 * probe share.
 */
const cpp: Record<string, readonly string[]> = {
  base: [],
  files: ['base'],
  scap: ['base'],
  state: ['base', 'scap'],
  fields: ['base', 'scap', 'state'],
  filter: ['base', 'scap', 'state', 'fields'],
  events: ['base', 'scap', 'state', 'fields', 'filter', 'output'],
  rules: ['base', 'scap', 'state', 'fields', 'filter'],
  sysflow: ['base', 'scap', 'state', 'filter'],
  output: ['base', 'sysflow'],
  sysflow_file: ['base', 'sysflow', 'output'],
  live: ['base', 'scap', 'state', 'probe'],
  libsysflow: ['base', 'filter', 'kubernetes'],
  library: ['base', 'sysflow', 'output', 'live', 'kubernetes'],
  runtimes: ['base'],
  kubernetes: ['base'],
  '.': [
    'base',
    'scap',
    'state',
    'events',
    'rules',
    'sysflow',
    'output',
    'sysflow_file',
    'live',
    'library',
    'runtimes',
    'kubernetes',
  ],
};

/** Tracked files, and untracked files that git does not ignore. */
function sources(...patterns: string[]): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z', '--', ...patterns];
  const names = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0');
  return names.filter((name) => name !== '' && existsSync(join(root, name))).sort();
}

interface Import {
  from: string;
  to: string;
  text: string;
}

/** The folder below `base`, or `.` for its own files. */
function folderOf(path: string, base: string): string {
  const parts = path.slice(base.length + 1).split('/');
  return parts.length > 1 ? (parts[0] as string) : '.';
}

function typescriptImports(): Import[] {
  return sources('src/*.ts').flatMap((file) =>
    [
      ...readFileSync(join(root, file), 'utf8').matchAll(
        /(?:\bfrom|\bimport\s*\(?)\s*'(\.[^']+)'/g,
      ),
    ].map(([, path]) => ({
      from: folderOf(file, 'src'),
      to: folderOf(normalize(join(dirname(file), path as string)), 'src'),
      text: `${file} imports ${path}`,
    })),
  );
}

function cppImports(): Import[] {
  return sources('native/src/*.h', 'native/src/*.cpp', 'native/src/*.inc')
    .filter((file) => !file.endsWith('_test.cpp'))
    .flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/^#include "([^"]+)"/gm)]
        .map(([, path]) => path as string)
        // Generated headers are in no folder.
        .filter((path) => !path.endsWith('.gen.h'))
        .map((path) => ({
          from: folderOf(file, 'native/src'),
          to: path.includes('/') ? (path.split('/')[0] as string) : '.',
          text: `${file} includes ${path}`,
        })),
    );
}

/** Imports that violate the layers. */
function forbidden(
  imports: readonly Import[],
  layers: Record<string, readonly string[]>,
): string[] {
  return imports
    .filter(({ from, to }) => from !== to && !layers[from]?.includes(to))
    .map(({ text }) => text);
}

/** Folders sorted so that each imports only from earlier ones; folders in a cycle are missing. */
function ordered(layers: Record<string, readonly string[]>): string[] {
  const order: string[] = [];
  for (let before = -1; before < order.length; ) {
    before = order.length;
    for (const [name, imports] of Object.entries(layers)) {
      const isReady = imports.every((other) => order.includes(other) || !(other in layers));
      if (isReady && !order.includes(name)) order.push(name);
    }
  }
  return order;
}

describe.each([
  ['src', typescript, typescriptImports()],
  ['native/src', cpp, cppImports()],
] as const)('%s', (_name, layers, imports) => {
  it('imports only what its layers allow', () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(forbidden(imports, layers)).toEqual([]);
  });

  it('has a layer for each folder', () => {
    const folders = new Set(imports.flatMap(({ from, to }) => [from, to]));
    expect([...folders].filter((folder) => !(folder in layers) && folder !== 'probe')).toEqual([]);
  });

  it('has layers without cycles', () => {
    expect(ordered(layers).sort()).toEqual(Object.keys(layers).sort());
  });
});

it('only src/engine imports the addon', () => {
  const outside = sources('src/*.ts').filter((file) => !file.startsWith('src/engine/'));
  const knowing = outside.filter((file) =>
    /engine\/native\.js'/.test(readFileSync(join(root, file), 'utf8')),
  );
  expect(knowing).toEqual([]);
});

it('nothing imports commands: they are the entry points of the command line', () => {
  expect(
    typescriptImports().filter(({ from, to }) => to === 'commands' && from !== 'commands'),
  ).toEqual([]);
});

it('finds an import that the layers forbid', () => {
  const wrong = { from: 'engine', to: 'cli', text: 'src/engine/a.ts imports ../cli/b.js' };
  expect(forbidden([wrong], typescript)).toEqual([wrong.text]);
  expect(ordered({ a: ['b'], b: ['a'] })).toEqual([]);
});

it('every source of the probe states its licenses', () => {
  const files = sources('native/probe/*.h', 'native/probe/*.c');
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    const [first] = readFileSync(join(root, file), 'utf8').split('\n');
    expect([file, first]).toEqual([file, '// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only']);
  }
});
