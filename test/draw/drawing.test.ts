import { describe, expect, it } from 'vitest';
import { Drawing, drawn } from '../../src/draw/drawing.js';
import type { Cell, DrawnColumn, Screen } from '../../src/draw/types.js';
import { textWidth } from '../../src/draw/width.js';

const screen = (columns: number, color = false): Screen => ({ columns, rows: 24, color });
const lines = (text: string) => text.slice(0, -1).split('\n');
const cut = (...names: string[]): DrawnColumn[] => names.map((name) => ({ name }));

/** A flow as in `from network_flow`: many columns, some empty, one with a long text. */
function flows(columns: number, rows: number): { columns: DrawnColumn[]; rows: Cell[][] } {
  return {
    columns: Array.from({ length: columns }, (_, index) => ({
      name: `column_${index}`,
      right: index % 3 === 0,
    })),
    rows: Array.from({ length: rows }, (_, row) =>
      Array.from({ length: columns }, (_, index) => {
        if (index % 3 === 0) return String(row * 1000 + index);
        if (index % 3 === 1) return index % 2 === 0 ? null : '';
        return `/usr/lib/some/path/${'deep/'.repeat(index % 7)}file-${row}`;
      }),
    ),
  };
}

describe('a table in a file or pipe', () => {
  it('contains every character, aligned', () => {
    const long = 'x'.repeat(200);
    expect(
      drawn(
        [{ name: 'n', right: true }, { name: 'text' }],
        [
          ['1', long],
          ['1000', null],
        ],
        undefined,
      ),
    ).toBe(
      [
        `┌──────┬─${'─'.repeat(200)}─┐`,
        `│ n    │ text${' '.repeat(196)} │`,
        `├──────┼─${'─'.repeat(200)}─┤`,
        `│    1 │ ${long} │`,
        `│ 1000 │ ${' '.repeat(200)} │`,
        `└──────┴─${'─'.repeat(200)}─┘`,
        '',
      ].join('\n'),
    );
  });

  it('has a heading even without rows', () => {
    expect(drawn(cut('a', 'b'), [], undefined)).toBe(
      '┌───┬───┐\n│ a │ b │\n├───┼───┤\n└───┴───┘\n',
    );
  });

  it('aligns wide characters and combining marks', () => {
    const text = drawn(
      cut('漢字', 'x'),
      [
        ['かな', 'e\u0301'],
        ['😀', '한글'],
        ['plain', '1'],
      ],
      undefined,
    );
    expect(new Set(lines(text).map(textWidth)).size).toBe(1);
  });

  it('escapes terminal control characters, also in names', () => {
    const text = drawn(cut('a\x1b[31m'), [['b\nc'], ['\x07']], undefined);
    expect(text).toContain('a\\x1b[31m');
    expect(text).toContain('b\\x0ac');
    expect(text).toContain('\\x07');
  });

  it('comes in pieces, whose widths depend on the rows alone', () => {
    const drawing = new Drawing(cut('a'));
    const pieces = Array.from({ length: 2500 }, (_, row) =>
      drawing.add([row === 1500 ? 'wide text' : 'x']),
    );
    expect(pieces.flatMap((piece, row) => (piece === '' ? [] : [row]))).toEqual([999, 1999]);
    const all = lines(pieces.join('') + drawing.end());
    expect(all).toHaveLength(3 + 2500 + 1);
    expect(all[3 + 999]).toBe('│ x │');
    expect(all[3 + 1000]).toBe('│ x         │');
    expect(all.at(-1)).toBe('└───────────┘');
  });

  it('does not pad other rows for one very long text', () => {
    const huge = 'y'.repeat(1_000_000);
    const rows = Array.from({ length: 500 }, (_, row) => [row === 250 ? huge : 'x', 'z']);
    const text = drawn(cut('a', 'b'), rows, undefined);
    expect(text).toContain(`│ ${huge} │ z │`);
    expect(text.length).toBeLessThan(huge.length + 505 * 300);
  });

  // Eight times the input in linear time, with a factor of three for caches and busy machines;
  // quadratic time is 64 times.
  it('takes time linear in its rows and in the length of a cell', () => {
    const time = (work: () => void) => {
      let best = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 3; round++) {
        const start = process.cpuUsage();
        work();
        best = Math.min(best, process.cpuUsage(start).user);
      }
      return best;
    };
    const table = (rows: number) => {
      const data = flows(66, rows);
      return () => drawn(data.columns, data.rows, undefined);
    };
    table(2000)();
    expect(time(table(16_000))).toBeLessThan(24 * time(table(2000)));
    const cell = (characters: number) => () => {
      for (const width of [undefined, screen(80)])
        drawn(cut('a'), [['漢'.repeat(characters)]], width);
    };
    cell(100_000)();
    expect(time(cell(2_000_000))).toBeLessThan(24 * time(cell(250_000)));
  });
});

describe('a table on a screen', () => {
  it.each([80, 100, 200])('never exceeds %i columns', (columns) => {
    for (const count of [1, 3, 5, 8, 12, 66]) {
      const { columns: names, rows } = flows(count, 5);
      for (const line of lines(drawn(names, rows, screen(columns)))) {
        expect(textWidth(line)).toBeLessThanOrEqual(columns);
      }
    }
  });

  it('is unchanged if it fits, and distinguishes null from empty text', () => {
    expect(
      drawn(
        cut('a', 'b'),
        [
          [null, 'x'],
          ['', 'null'],
        ],
        screen(80),
      ),
    ).toBe(
      [
        '┌──────┬──────┐',
        '│ a    │ b    │',
        '├──────┼──────┤',
        '│ null │ x    │',
        '│      │ null │',
        '└──────┴──────┘',
        '',
      ].join('\n'),
    );
  });

  it('leaves out empty columns if it is too wide, and names them', () => {
    const row = ['x'.repeat(30), null, '', 'y'.repeat(30)];
    expect(drawn(cut('first', 'nothing', 'blank', 'last'), [row], screen(80))).toBe(
      [
        `┌${'─'.repeat(32)}┬${'─'.repeat(32)}┐`,
        `│ first${' '.repeat(26)}│ last${' '.repeat(27)}│`,
        `├${'─'.repeat(32)}┼${'─'.repeat(32)}┤`,
        `│ ${row[0]} │ ${row[3]} │`,
        `└${'─'.repeat(32)}┴${'─'.repeat(32)}┘`,
        '2 empty columns left out (--format json has all): nothing, blank',
        '',
      ].join('\n'),
    );
  });

  it('shortens texts, paths from the left, and never a number', () => {
    const columns = [{ name: 'bytes_read_by_it', right: true }, { name: 'path' }, { name: 'text' }];
    const text = drawn(
      columns,
      [['12345678901', `/a/${'b/'.repeat(40)}end`, 'long '.repeat(20)]],
      screen(60),
    );
    expect(text).toBe(
      [
        '┌─────────────┬──────────────────────┬─────────────────────┐',
        '│ bytes_read_ │                      │                     │',
        '│ by_it       │ path                 │ text                │',
        '├─────────────┼──────────────────────┼─────────────────────┤',
        '│ 12345678901 │ …b/b/b/b/b/b/b/b/end │ long long long lon… │',
        '└─────────────┴──────────────────────┴─────────────────────┘',
        '',
      ].join('\n'),
    );
  });

  it('drops the date that all times share, and shows it once', () => {
    const columns: DrawnColumn[] = [{ name: 'ts', long: 'time' }, { name: 'what' }];
    const rows = ['2026-03-02T10:00:00.000000001Z', '2026-03-02T11:00:00.000000002Z'].map(
      (time) => [time, 'some text that is long enough'],
    );
    const narrow = drawn(columns, rows, screen(40));
    expect(narrow).toContain('│ 10:00:00.000000001 │ some text that… │');
    expect(narrow).toContain('ts: all on 2026-03-02 (UTC)\n');
    const days = drawn(columns, [...rows, ['2026-03-03T10:00:00.000000003Z', 'x']], screen(40));
    expect(days).toContain('2026-03-03T10:00:00.000000003Z');
  });

  it('leaves out columns by rank as a last resort, and names them', () => {
    const columns: DrawnColumn[] = [
      { name: 'first' },
      { name: 'second', rank: 1 },
      { name: 'third', rank: 2 },
      { name: 'last' },
    ];
    const text = drawn(
      columns,
      [columns.map(({ name }) => `${name} `.repeat(10).trimEnd())],
      screen(50),
    );
    expect(text).toContain('│ first first f… │ second secon… │ last last la… │');
    expect(text).toContain('no room for 1 column (--format json has all):\nthird\n');
  });

  it('becomes one block per row if a table does not fit', () => {
    const columns = Array.from({ length: 9 }, (_, index) => ({ name: `column_${index}` }));
    const row = columns.map(({ name }) => `${name} `.repeat(20).trimEnd());
    const text = lines(
      drawn(
        [...columns, { name: 'nothing' }],
        [
          [...row, null],
          [...row.fill('short'), null],
        ],
        screen(60),
      ),
    );
    expect(text.slice(0, 5)).toEqual([
      '─[ 1 ]───┬──────────────────────────────────────────────────',
      'column_0 │ column_0 column_0 column_0 column_0 column_0',
      '         │ column_0 column_0 column_0 column_0 column_0',
      '         │ column_0 column_0 column_0 column_0 column_0',
      '         │ column_0 column_0 column_0 column_0 column_0',
    ]);
    expect(text.slice(37, 40)).toEqual([
      '─[ 2 ]───┬──────────────────────────────────────────────────',
      'column_0 │ short',
      'column_1 │ short',
    ]);
    expect(text.at(-1)).toBe('1 empty column left out (--format json has all): nothing');
  });

  it('shows some lines of a long text in a block', () => {
    const columns = cut(...Array.from({ length: 10 }, (_, index) => `column_${index}`));
    const text = lines(drawn(columns, [columns.map(() => 'x'.repeat(10_000))], screen(60)));
    expect(text).toHaveLength(1 + 10 * 5);
    expect(text[5]).toMatch(/x…$/);
  });

  it('wraps prose', () => {
    expect(
      drawn(
        [{ name: 'field' }, { name: 'meaning', long: 'wrap' }],
        [['a', 'one two three four five']],
        screen(32),
      ),
    ).toBe(
      [
        '┌───────┬──────────────────────┐',
        '│ field │ meaning              │',
        '├───────┼──────────────────────┤',
        '│ a     │ one two three four   │',
        '│       │ five                 │',
        '└───────┴──────────────────────┘',
        '',
      ].join('\n'),
    );
  });

  it('says that there are no rows', () => {
    expect(drawn(cut('a'), [], screen(80))).toBe('┌───┐\n│ a │\n├───┤\n└───┘\nno rows\n');
  });

  it('is colored if the screen is', () => {
    const text = drawn(cut('a', 'b'), [['x', null]], screen(80, true));
    expect(text).toContain('\x1b[1ma\x1b[22m');
    expect(text).toContain('\x1b[2mnull\x1b[22m');
    expect(text.replace(/\x1b\[\d+m/g, '')).toBe(drawn(cut('a', 'b'), [['x', null]], screen(80)));
  });

  it('starts a new drawing after many rows, so that output starts early', () => {
    const drawing = new Drawing(cut('a'), { screen: screen(80) });
    const text = Array.from({ length: 1500 }, () => drawing.add(['x'])).join('') + drawing.end();
    expect(text.match(/┌───┐/g)).toHaveLength(2);
    expect(text.match(/│ x │/g)).toHaveLength(1500);
  });
});

describe('a limit of rows', () => {
  it('ends drawing, and the remaining rows are counted', () => {
    const drawing = new Drawing(cut('a'), { screen: screen(80), limit: 2 });
    expect(drawing.room).toBe(2);
    drawing.add(['x']);
    drawing.add(['y']);
    expect(drawing.room).toBe(0);
    expect(drawing.end({ count: 1234, isExact: true })).toContain(
      '\n… 1,234 more rows (-n N draws N of them, --all draws all)\n',
    );
  });

  it.each([
    [{ count: 1, isExact: true }, '… 1 more row ('],
    [{ count: 5, isExact: false }, '… more than 5 more rows ('],
    [{ count: 0, isExact: false }, '… more rows ('],
  ])('%j', (more, expected) => {
    expect(new Drawing(cut('a'), { limit: 1 }).end(more)).toContain(expected);
  });

  it('adds no line if no rows remain', () => {
    expect(new Drawing(cut('a'), { limit: 1 }).end()).not.toContain('more');
  });
});
