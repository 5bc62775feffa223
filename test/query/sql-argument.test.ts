import { describe, expect, it } from 'vitest';
import { shieldComment, splitArguments } from '../../src/query/sql-argument.js';

describe('the arguments of a query', () => {
  it('end in SQL if that contains a blank and is not a file', () => {
    expect(splitArguments(['package.json', 'select 1'], false)).toEqual({
      inputs: ['package.json'],
      sql: 'select 1',
    });
    expect(splitArguments(['package.json', 'src'], false)).toEqual({
      inputs: ['package.json', 'src'],
      sql: undefined,
    });
    expect(splitArguments(['package.json'], true)).toEqual({
      inputs: ['package.json'],
      sql: undefined,
    });
  });

  it.each([
    [['select 1'], false, 'no input: name a capture, file or directory before the SQL'],
    [['nothing.scap', 'select 1'], false, 'nothing.scap: no such file or directory'],
    [
      ['package.json', 'selectx'],
      false,
      'selectx: no such file or directory (and not SQL, which contains a blank)',
    ],
    [
      ['package.json', 'select 1'],
      true,
      'select 1: no such file; with -q the SQL comes from the file, and every argument is an input',
    ],
  ])('%j (-q: %s) are rejected', (args, hasFile, message) => {
    expect(() => splitArguments(args, hasFile)).toThrow(message);
  });

  it('keep SQL that starts with a comment from being a flag', () => {
    expect(shieldComment(['x', '--format', 'csv', '-- a = b\nselect 1'])).toEqual([
      'x',
      '--format',
      'csv',
      ' -- a = b\nselect 1',
    ]);
    const flags = [
      ['x', '--filter=a\nb'],
      ['x', '--all'],
      ['-- a\nselect 1', '--all'],
    ];
    for (const args of flags) expect(shieldComment(args)).toEqual(args);
  });
});
