import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';

/** The contents of all files with this ending below some directories. */
function textOf(directories: string[], ending: string): string {
  return directories
    .flatMap((directory) =>
      readdirSync(join(root, directory), { recursive: true })
        .map(String)
        .filter((name) => name.endsWith(ending) && !name.includes('libsysflow-contract'))
        .map((name) => readFileSync(join(root, directory, name), 'utf8')),
    )
    .join('\n');
}

const page = readFileSync(join(root, 'docs/libsysflow.md'), 'utf8');
const rows = page
  .slice(page.indexOf('## The contract'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (statement|---) /.test(line))
  .map((line) => line.slice(2, -2).split(' | '));
const named = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);

const ofVitest = textOf(['test'], '.test.ts');
const ofGoogleTest = textOf(['native/src'], '_test.cpp');

function isTest(name: string): boolean {
  const [, suite, test] = /^(\w+)\.(\w+)$/.exec(name) ?? [];
  if (suite !== undefined) return new RegExp(`TEST(_F)?\\(${suite}, ${test}\\)`).test(ofGoogleTest);
  return [`('${name}'`, `(\n    '${name}'`, `(\n      '${name}'`].some((text) =>
    ofVitest.includes(text),
  );
}

describe('the contract of docs/libsysflow.md', () => {
  it('names tests that exist', () => {
    expect(rows.length).toBeGreaterThan(40);
    for (const [statement, node, cpp, ...rest] of rows as [string, string, string][]) {
      expect([statement, rest]).toEqual([statement, []]);
      const tests = [...named(node), ...named(cpp)];
      expect([statement, tests.filter((name) => !isTest(name))]).toEqual([statement, []]);
      for (const cell of [node, cpp])
        expect([statement, cell === '–' || named(cell).length > 0]).toEqual([statement, true]);
    }
  });

  it('knows a name that is no test', () => {
    expect(isTest('LogTest.DoesNotExist')).toBe(false);
    expect(isTest('does not exist')).toBe(false);
  });

  it('has a row for each field of the configuration', () => {
    const header = readFileSync(join(root, 'native/include/sysflow/sfconfig.h'), 'utf8');
    const [, body] = /struct SysFlowConfig \{([\s\S]*?)\n\};/.exec(header) ?? [];
    const fields = [...(body ?? '').matchAll(/^ {2}[\w:]+ (\w+)(?: = [^;]+)?;/gm)].map(
      ([, name]) => name as string,
    );
    // These are not in the contract's table: the specification of the interface adds them.
    const added = ['appName', 'collectionMode', 'cpuBuffers', 'driverType'];
    const statements = rows.map(([statement]) => statement).join('\n');
    expect(fields.length).toBeGreaterThan(24);
    expect(
      fields.filter((name) => !added.includes(name) && !statements.includes(`\`${name}\``)),
    ).toEqual([]);
  });
});
