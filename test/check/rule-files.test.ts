import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readRuleFiles } from '../../src/check/rule-files.js';
import { testDirectory } from '../helpers/directory.js';

describe('rules files', () => {
  const directory = testDirectory();
  const put = (name: string, content: string) => writeFileSync(directory.path(name), content);

  it('of a directory are its .yaml, .yml and .sql files in alphabetical order', () => {
    put('b.yaml', 'b');
    put('a.yml', 'a');
    put('Z.yaml', 'Z');
    put('notes.txt', 'no');
    put('c.yaml.orig', 'no');
    mkdirSync(directory.path('deeper.yaml'));
    writeFileSync(directory.path('deeper.yaml', 'd.yaml'), 'no');
    expect(readRuleFiles([directory.path()])).toEqual(
      ['Z.yaml', 'a.yml', 'b.yaml'].map((name) => ({
        name: directory.path(name),
        content: name.replace(/\..*/, ''),
      })),
    );
  });

  it('keep the order of the arguments', () => {
    put('one', '1');
    put('two', '2');
    const paths = ['two', 'one'].map((name) => directory.path(name));
    expect(readRuleFiles(paths).map(({ content }) => content)).toEqual(['2', '1']);
  });

  it('that are missing are an error', () => {
    expect(() => readRuleFiles([directory.path('none.yaml')])).toThrow(
      /^cannot read rules .*none\.yaml: /,
    );
    expect(() => readRuleFiles([directory.path()])).toThrow('holds no .yaml, .yml or .sql file');
    expect(() => readRuleFiles([])).toThrow('no rules are named');
  });
});
