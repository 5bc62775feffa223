import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRuleFiles } from '../../src/check/rule-files.js';
import { temporaryDirectory } from '../helpers/directory.js';

describe('rules files', () => {
  const directory = temporaryDirectory();
  const put = (name: string, content: string) => writeFileSync(join(directory(), name), content);

  it('of a directory are its .yaml and .yml files in alphabetical order', () => {
    put('b.yaml', 'b');
    put('a.yml', 'a');
    put('Z.yaml', 'Z');
    put('notes.txt', 'no');
    put('c.yaml.orig', 'no');
    mkdirSync(join(directory(), 'deeper.yaml'));
    writeFileSync(join(directory(), 'deeper.yaml', 'd.yaml'), 'no');
    expect(readRuleFiles([directory()])).toEqual(
      ['Z.yaml', 'a.yml', 'b.yaml'].map((name) => ({
        name: join(directory(), name),
        content: name.replace(/\..*/, ''),
      })),
    );
  });

  it('come in the order in which they are named', () => {
    put('one', '1');
    put('two', '2');
    const paths = ['two', 'one'].map((name) => join(directory(), name));
    expect(readRuleFiles(paths).map(({ content }) => content)).toEqual(['2', '1']);
  });

  it('that are not there are said so', () => {
    expect(() => readRuleFiles([join(directory(), 'none.yaml')])).toThrow(/^cannot read rules .*none\.yaml: /);
    expect(() => readRuleFiles([directory()])).toThrow('holds no .yaml or .yml file');
    expect(() => readRuleFiles([])).toThrow('no rules are named');
  });
});
