import { describe, expect, it } from 'vitest';
import { captureName, planConversions } from '../../src/export/plan.js';

describe('the plan of a conversion', () => {
  it.each([
    [
      ['d/c.scap'],
      undefined,
      undefined,
      [{ format: 'parquet', shape: 'directory', output: 'c.sysflow/' }],
    ],
    [['c.scap'], 'avro', undefined, [{ format: 'avro', shape: 'file', output: 'c.sf' }]],
    [['c.scap'], undefined, 'x.sf', [{ format: 'avro', shape: 'file', output: 'x.sf' }]],
    [['c.scap'], undefined, 'x.ARROW', [{ format: 'arrow', shape: 'file', output: 'x.ARROW' }]],
    [['c.scap'], 'csv', 'x.txt', [{ format: 'csv', shape: 'file', output: 'x.txt' }]],
    [['c.scap'], 'csv', 'x/', [{ format: 'csv', shape: 'directory', output: 'x/' }]],
    [
      ['c.scap'],
      'avro',
      'x/',
      [{ format: 'avro', shape: 'file', output: 'x/c.sf', directory: 'x/' }],
    ],
    [['c.scap'], 'jsonl', '-', [{ format: 'jsonl', shape: 'stdout', output: '-' }]],
    [
      ['a.scap', 'b.scap'],
      undefined,
      'x/',
      [{ output: 'x/a.sysflow/' }, { output: 'x/b.sysflow/' }],
    ],
    [['a.scap', 'b.scap'], 'avro', undefined, [{ output: 'a.sf' }, { output: 'b.sf' }]],
  ] as const)('of %s with -f %s -o %s', (inputs, format, output, expected) => {
    expect(planConversions(inputs, format, output)).toMatchObject(expected);
  });

  it.each([
    [['c.scap'], undefined, 'x.txt', /unknown format of x\.txt/],
    [['c.scap'], 'jsonl', 'x.csv', /x\.csv has the extension of csv, but -f says jsonl/],
    [['c.scap'], undefined, '-', /name the format for standard output with -f/],
    [['a.scap', 'b.scap'], 'csv', 'x.csv', /the file x\.csv takes one input/],
    [['a.scap', 'b.scap'], 'csv', '-', /standard output takes one input/],
    [
      ['x/a.scap', 'y/a.scap'],
      undefined,
      undefined,
      /x\/a\.scap and y\/a\.scap would both be written to a\.sysflow\//,
    ],
    [['package.json'], 'csv', './package.json', /is also an input/],
  ] as const)('refuses %s with -f %s -o %s', (inputs, format, output, message) => {
    expect(() => planConversions(inputs, format, output)).toThrow(message);
  });

  it('names outputs after the capture without its extensions', () => {
    expect(['a/b.scap', 'b.scap.gz', 'b.gz', 'b.c.scap', 'b', '.scap'].map(captureName)).toEqual([
      'b',
      'b',
      'b',
      'b.c',
      'b',
      '.scap',
    ]);
  });
});
