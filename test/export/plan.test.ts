import { describe, expect, it } from 'vitest';
import { captureName, pairOutputs, planAll, planConversions } from '../../src/export/plan.js';

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

describe('formats and outputs', () => {
  it.each([
    [[], [], [[undefined, undefined]]],
    [['csv'], [], [['csv', undefined]]],
    [
      ['csv', 'parquet'],
      [],
      [
        ['csv', undefined],
        ['parquet', undefined],
      ],
    ],
    [
      [],
      ['x.sf', 't/'],
      [
        ['avro', 'x.sf'],
        [undefined, 't/'],
      ],
    ],
    [
      ['csv'],
      ['x.sf', 't/', '-'],
      [
        ['avro', 'x.sf'],
        ['csv', 't/'],
        ['csv', '-'],
      ],
    ],
    [
      ['csv', 'jsonl'],
      ['x.sf', 't/'],
      [
        ['avro', 'x.sf'],
        ['csv', 't/'],
        ['jsonl', 't/'],
      ],
    ],
    [['csv'], ['x.csv'], [['csv', 'x.csv']]],
    [['csv'], ['x.dat'], [['csv', 'x.dat']]],
  ] as const)('-f %j -o %j', (formats, outputs, pairs) => {
    expect(pairOutputs(formats, outputs).map(({ format, output }) => [format, output])).toEqual(
      pairs,
    );
  });

  it.each([
    [['csv'], ['x.sf'], /x\.sf has the extension of avro, but -f says csv/],
    [['csv'], ['x.csv', 'x.sf'], /x\.sf has the extension of avro, but -f says csv/],
    [[], ['x.sf', 'x.dat'], /unknown format of x\.dat/],
    [['csv', 'jsonl'], ['-'], /standard output takes one output/],
    [['csv', 'jsonl'], ['x.dat'], /x\.dat is named twice/],
    [[], ['t/', 't'], /unknown format of t/],
    [[], ['t/', './t/'], /\.\/t\/ is named twice/],
    [['avro'], ['x.sf', 't/'], /one SysFlow output at a time/],
  ] as const)('-f %j -o %j is rejected', (formats, outputs, message) => {
    expect(() => planAll(['c.scap'], pairOutputs(formats, outputs))).toThrow(message);
  });

  it('each input has all outputs, and rotation goes to each of them', () => {
    expect(planAll(['a.scap', 'b.scap'], pairOutputs(['avro', 'csv'], ['t/']), 60)).toMatchObject([
      [
        { output: 't/a.sf', rotate: 60 },
        { output: 't/a.sysflow/', rotate: 60 },
      ],
      [
        { output: 't/b.sf', rotate: 60 },
        { output: 't/b.sysflow/', rotate: 60 },
      ],
    ]);
  });

  it.each([
    ['-', 'jsonl', /standard output cannot be rotated/],
    ['x.csv', undefined, /x\.csv is one file; --rotate needs a directory/],
    ['x.duckdb', undefined, /x\.duckdb is one file/],
    ['/dev/null', 'avro', /a device or pipe, which cannot be rotated/],
  ] as const)('%s cannot be rotated', (output, format, message) => {
    expect(() => planAll(['c.scap'], [{ format, output }], 60)).toThrow(message);
  });
});
