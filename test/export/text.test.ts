import { describe, expect, it } from 'vitest';
import { csvHeader, csvLines, jsonLines } from '../../src/export/text.js';
import { csvText } from '../../src/export/values.js';
import { batch, type Row } from '../helpers/batches.js';

const json = (rows: readonly Row[]) => [...jsonLines(batch('file_flow', rows))].join('');
const csv = (rows: readonly Row[]) => [...csvLines(batch('file_flow', rows))].join('');
const cell = (text: string, name: string) => {
  const columns = csvHeader('file_flow').trimEnd().split(',');
  return text.trimEnd().split(',')[columns.indexOf(name)];
};

describe('JSON Lines', () => {
  it('have every column as a key, missing values as null', () => {
    const row = JSON.parse(json([{ type: 'FF', proc_exe: null, container_id: null }]));
    expect(Object.keys(row)).toEqual(csvHeader('file_flow').trimEnd().split(','));
    expect(row).toMatchObject({ type: 'FF', proc_exe: null, container_id: null, flow_rbytes: 0 });
  });

  it('have 64-bit integers with all digits', () => {
    expect(json([{ flow_rbytes: 9_007_199_254_740_993n }])).toContain(
      '"flow_rbytes":9007199254740993,',
    );
  });

  it('have times with nanoseconds and Z, also before 1970', () => {
    expect(json([{ ts_uts: 1_600_000_000_000_000_001n }])).toContain(
      '"ts":"2020-09-13T12:26:40.000000001Z"',
    );
    expect(json([{ ts_uts: -1n }])).toContain('"ts":"1969-12-31T23:59:59.999999999Z"');
  });

  it('have operations as a list', () => {
    expect(JSON.parse(json([{ opflags_bitmap: 0b1000_1000_0000 }])).opflags).toEqual([
      'OPEN',
      'TRUNCATE',
    ]);
  });

  it('show hidden characters on a terminal, and lose nothing', () => {
    const hostile = 'a\u001b[31m\u009b2J\u202eb"\\\n';
    const line = json([{ file_path: hostile }]);
    expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(JSON.parse(line).file_path).toBe(hostile);
  });

  it('come in pieces that end with a newline', () => {
    const rows = Array.from({ length: 300 }, (_, idx) => ({ idx, file_path: 'x'.repeat(1000) }));
    const pieces = [...jsonLines(batch('file_flow', rows))];
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.every((piece) => piece.endsWith('}\n'))).toBe(true);
    expect(
      pieces
        .join('')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).idx),
    ).toEqual(rows.map((row) => row.idx));
  });
});

describe('CSV', () => {
  it('quotes as RFC 4180 requires', () => {
    expect(csv([{ file_path: 'a "b", c\nd' }])).toContain(',"a ""b"", c\nd",');
  });

  it.each([
    ['=1', "'=1"],
    [' @a', "' @a"],
    ['\t=1', "'\\x09=1"],
    ['\n \t-1', "'\\x0a \\x09-1"],
    ['\r=1', '\\x0d=1'],
    ['\u200b=1', '\\u200b=1'],
    ['\u00a0+1', '\\xa0+1'],
    ['\uff1d1', "'\uff1d1"],
    [' \uff20a', "' \uff20a"],
    ['\ufe621', "'\ufe621"],
    ['\u22121', "'\u22121"],
    ['\tx', '"\'\tx"'],
    ['a\n=1', 'a\\x0a=1'],
    ['a\nb', '"a\nb"'],
    ["'a", "''a"],
    ['a=b', 'a=b'],
    ['a \\=', 'a \\\\='],
  ])('runs no formula: %j', (text, cell) => expect(csvText(text)).toBe(cell));

  it('takes time linear in the text', () => {
    const blanks = `${'\n\t '.repeat(300_000)}a`;
    expect(csvText(blanks)).toBe(`"'${blanks}"`);
  });

  it('distinguishes an empty text from a missing value', () => {
    const line = csv([{ proc_exe: '', proc_user: null }]);
    expect(cell(line, 'proc_exe')).toBe('""');
    expect(cell(line, 'proc_user')).toBe('');
  });

  it('writes control characters as \\xNN', () => {
    expect(cell(csv([{ file_path: 'a\u001b[31m\r\u0000\u009b' }]), 'file_path')).toBe(
      'a\\x1b[31m\\x0d\\x00\\x9b',
    );
  });

  it('distinguishes a captured backslash from an escape', () => {
    expect(cell(csv([{ file_path: 'a\\x1b\u001b' }]), 'file_path')).toBe('a\\\\x1b\\x1b');
  });

  it.each(['=1+1', '+1', '-c', '@x', "'x"])(
    'puts an apostrophe before %s, which a spreadsheet might run',
    (text) => {
      expect(cell(csv([{ proc_args: text }]), 'proc_args')).toBe(`'${text}`);
    },
  );

  it('leaves negative numbers alone', () => {
    expect(cell(csv([{ file_fd: -1, flow_rbytes: -5n }]), 'flow_rbytes')).toBe('-5');
  });

  it('joins operations with |', () => {
    expect(cell(csv([{ opflags_bitmap: 0b1000_1000_0000 }]), 'opflags')).toBe('OPEN|TRUNCATE');
  });
});
