import { describe, expect, test } from 'vitest';
import { SigmaError, UnsupportedError } from '../../../src/check/sigma/errors.js';
import { toRe2 } from '../../../src/check/sigma/regex.js';
import { ruleOf, withRows } from './rows.js';

const mark = { offset: 0, line: 0, column: 0 };
const translate = (source: string) => toRe2(source, {}, mark);

describe('features that RE2 lacks throw UnsupportedError with their name', () => {
  test.for([
    ['a(?=b)', 'a lookahead'],
    ['a(?!b)', 'a negative lookahead'],
    ['(?<=a)b', 'a lookbehind'],
    ['(?<!a)b', 'a negative lookbehind'],
    ['(?>a)', 'an atomic group'],
    ['(a)\\1', 'a backreference'],
    ['(?P<n>a)(?P=n)', 'a backreference'],
    ['(?<n>a)\\k<n>', 'a backreference'],
    ['a++', "a possessive quantifier '++'"],
    ['(?R)', 'recursion'],
    ['(?(1)a|b)', 'a conditional group'],
    ['(*SKIP)', 'a verb of backtracking'],
    ['\\Ga', '\\G'],
    ['(?x)a', "the flag 'x'"],
    ['a{1001}', 'more than 1000 repetitions'],
    ['(a{40}){40}', 'more than 1000 repetitions'],
    [
      '(?:a{1000}){1}b{1000}(c{1000}){1}'.repeat(4),
      'more than 10000 characters, repetitions counted',
    ],
  ] as const)('%s', ([source, what]) => {
    expect(() => translate(source)).toThrow(UnsupportedError);
    expect(() => translate(source)).toThrow(` has ${what}, which DuckDB's RE2 does not`);
  });

  test('a very long one', () =>
    expect(() => translate('a'.repeat(10_001))).toThrow('more than 10000 characters'));
});

describe('invalid patterns are errors', () => {
  test.for([
    ['*a', "nothing before '*' to repeat"],
    ['a|*', "nothing before '*' to repeat"],
    ['a**', "nothing before '*' to repeat"],
    ['(a', "a '(' without its ')'"],
    ['a)', "a ')' without its '('"],
    ['[a', "a '[' without its ']'"],
    ['[]', "a '[' without its ']'"],
    ['[b-a]', 'a range of characters from a later to an earlier one'],
    ['a{3,2}', "'{3,2}', whose maximum 2 is less than its minimum 3"],
    ['a\\', 'a backslash at its end'],
    ['\\y', "an unknown escape '\\y'"],
    ['(?', "a '(?' with something unknown after it"],
    ['(?<1>a)', 'a group with an invalid name'],
    ['(?#', "a '(?#' without its ')'"],
  ] as const)('%s', ([source, what]) => {
    expect(() => translate(source)).toThrow(SigmaError);
    expect(() => translate(source)).toThrow(` has ${what}`);
  });
});

describe('syntax that differs between PCRE and RE2', () => {
  test.for([
    ['a$', ['a', 'a\n', 'ba'], ['a\nb', 'ab', 'a\n\n']],
    ['^a\\Z', ['a', 'a\n'], ['a\nb']],
    ['(?m)^b$', ['a\nb\nc'], ['ab']],
    ['a.b', ['axb'], ['a\nb']],
    ['(?s:a.b)', ['a\nb'], ['ab']],
    ['(?i)A(?-i)B', ['aB', 'AB'], ['ab']],
    ['a\\sb', ['a b', 'a\vb', 'a\tb'], ['a\u00a0b']],
    ['a\\Sb', ['axb'], ['a\vb']],
    ['[\\s]', ['\v'], ['a']],
    ['\\x41\\x{42}\\u0043', ['ABC'], ['abc']],
    ['[^]a]', ['b'], ['a', ']']],
    ['[]a]', ['a', ']'], ['b']],
    ['[a-]', ['-'], ['b']],
    ['[[:digit:]x]', ['5', 'x'], ['a']],
    ['[\\w.-]+@', ['a.b-c@'], ['(@']],
    ['[a\\-z]', ['-'], ['b']],
    ['[[]', ['['], ['a']],
    ['a{,2}b', ['b', 'aab'], ['x']],
    ['a{b}', ['a{b}'], ['ab']],
    ['{a', ['{a'], ['a']],
    ["(?'n'a)(?<m>b)(?P<o>c)", ['abc'], ['ab']],
    ['a(?#comment)b', ['ab'], ['a']],
    ['\\Qa.b\\Ec', ['a.bc'], ['axbc']],
    ['\\/\\-\\"\\_\\é', ['/-"_é'], ['/']],
    ['\\0', ['\0'], ['0']],
    ['a?b*?c+?', ['bc', 'abbcc'], ['a']],
    ['\\bsh\\b', ['x sh y'], ['bash']],
    ['\\p{Lu}', ['Ä'], ['ä']],
    ['日.', ['日本'], ['日']],
    ['(?:)a', ['a'], ['b']],
    ['(|a)b', ['b'], ['a']],
  ] as const)('%j', async ([source, matching, other]) => {
    const rows = [...matching, ...other].map((a) => ({ a }));
    const rule = `title: t\nlogsource: {category: x}\ndetection: {s: {'a|re': ${JSON.stringify(source)}}, condition: s}\n`;
    const found = await withRows(rows, (matches) => matches(ruleOf(rule).detection as never));
    expect(found).toEqual(matching.map((_, index) => index));
  });
});
