import { describe, expect, it } from 'vitest';
import { meaningful, nameOf, tokensOf } from '../../src/query/sql-tokens.js';

const kinds = (sql: string) =>
  meaningful(tokensOf(sql)).map(({ kind, text, isOpen }) => `${kind}${isOpen ? '…' : ''} ${text}`);

describe('tokens', () => {
  it.each([
    ['select 1', ['word select', 'number 1']],
    ["'it''s; --x' 'b'", ["text 'it''s; --x'", "text 'b'"]],
    ["e'a\\'b' X'ff' e", ["text e'a\\'b'", "text X'ff'", 'word e']],
    ['"a""b;" "c', ['name "a""b;"', 'name… "c']],
    ["'a\nb", ["text… 'a\nb"]],
    ['$$a;$b$c$$ $x$a$$;$x$ $y$z$$', ['dollar $$a;$b$c$$', 'dollar $x$a$$;$x$', 'dollar… $y$z$$']],
    ['$pid + ? + $1', ['parameter $pid', 'symbol +', 'parameter ?', 'symbol +', 'parameter $1']],
    ['a -- b;\nc', ['word a', 'word c']],
    ['a /* b /* c; */ d */ e', ['word a', 'word e']],
    ['a /* b /* c */ d', ['word a', 'comment… /* b /* c */ d']],
    [
      'a.b::int >= 1.5e-3',
      ['word a', 'symbol .', 'word b', 'symbol ::', 'word int', 'symbol >=', 'number 1.5e-3'],
    ],
    ['größe漢 a$b', ['word größe漢', 'word a$b']],
  ])('%j', (sql, expected) => {
    expect(kinds(sql)).toEqual(expected);
  });

  it('together are the text', () => {
    const sql = "select 'a' /* b */ -- c\n, $$d$$ \u{1f600} \ud800 \"e";
    expect(
      tokensOf(sql)
        .map(({ text }) => text)
        .join(''),
    ).toBe(sql);
  });

  it('names ignore the case of ASCII letters', () => {
    expect(meaningful(tokensOf('Proc_Exe "A ""B""" ÄB')).map(nameOf)).toEqual([
      'proc_exe',
      'a "b"',
      'Äb',
    ]);
  });

  it('of a long text take linear time', () => {
    // A quadratic scanner would exceed the time limit.
    const count = 500_000;
    const tokens = tokensOf(`${"'a' ".repeat(count)}/*${'/*'.repeat(count)}`);
    expect(tokens).toHaveLength(2 * count + 1);
  });
});
