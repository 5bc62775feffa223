import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../src/check/sysflow/grammar.js';
import { readPolicy } from '../../../src/check/sysflow/policy.js';
import { sysflow } from '../../../src/check/sysflow/sysflow.js';
import { tokenize, withoutQuotes } from '../../../src/check/sysflow/tokens.js';

const rule = (condition: string, more = '') =>
  `- rule: r\n  desc: d\n  condition: ${condition}\n${more}`;
const load = (content: string) => sysflow.load([{ name: 'p.yaml', content }]);
const errorOf = (content: string) =>
  load(content).diagnostics.find(({ severity }) => severity === 'error');
const conditionOf = (content: string) => readPolicy([{ name: 'p', content }]).rules[0]?.condition;

describe('tokens', () => {
  it.each([
    ['a.b[items.0.x] exists', ['a.b[items.0.x]', 'exists']],
    ['x=/bin/sh', ['x', '=', '/bin/sh']],
    ['sf.ts>=15', ['sf.ts', '>=', '15']],
    ['[a,"b c", mitre:T1059]', ['[', 'a', ',', '"b c"', ',', 'mitre:T1059', ']']],
    [`'"(x)"'`, [`'"(x)"'`]],
    ['"" or x', ['""', 'or', 'x']],
    ['"" or x = ""', ['"" or x = ""']],
    ['condition: >\n  a', ['condition', ': >', 'a']],
    ['a # b\nc', ['a', 'c']],
    ['"open', ['"', 'open']],
  ])('%j', (text, expected) => {
    expect(tokenize(text).map(({ text }) => text)).toEqual([...expected, '']);
  });

  it('one quote is removed at each end', () => {
    expect(['"a"', `'"a"'`, '"', 'a"', ''].map(withoutQuotes)).toEqual(['a', '"a"', '', 'a', '']);
  });
});

describe('policies', () => {
  it('a name may have several words, and whitespace has no meaning', () => {
    const [item] = parsePolicy(
      '\t- rule:  two words \n\tdesc: d e\n condition: not a = b\n\n   priority: HIGH tags: [x]',
    );
    expect(item).toMatchObject({
      kind: 'rule',
      name: 'two words',
      description: 'd e',
      priority: 'HIGH',
      tags: ['x'],
    });
  });

  it('not binds to one check, and before or', () => {
    expect(parsePolicy(rule('not a = b and c exists or d'))[0]).toMatchObject({
      condition: {
        kind: 'or',
        of: [{ kind: 'and', of: [{ kind: 'not' }, { kind: 'exists' }] }, { kind: 'macro' }],
      },
    });
  });

  it.each([
    ['', "expected '-', found the end of the file"],
    [rule('exists a'), "expected an attribute or a value, found 'exists'"],
    [rule('a = -x'), "expected an attribute or a value, found '-'"],
    [rule('a in (list)'), "found 'list', which is a keyword; quote it"],
    [rule('a in (error)'), "found 'error', which is a keyword; quote it"],
    ['- rule: r\n  condition: a = b\n', "expected 'desc:', found 'condition'"],
    [rule('a = b', '  priority: 3'), 'expected a priority'],
    [rule('a = b', '  tags: [,a]'), "expected ']'"],
    [`${rule('a = b', '  output: o\n')}${rule('a = b')}`, 'found '],
  ])('%j is an error', (content, message) => {
    expect(errorOf(content)?.message).toContain(message);
  });

  it('says where', () => {
    expect(errorOf(rule('a = b', '  priority: 3\n'))).toMatchObject({
      ...{ line: 4, column: 13, file: 'p.yaml', code: 'SYSFLOW_SYNTAX' },
      snippet: '  priority: 3\n            ^',
    });
  });

  it('macros and lists may be used before their definition; one before the rule takes precedence', () => {
    expect(conditionOf(`${rule('m')}- macro: m\n  condition: a exists\n`)).toMatchObject({
      kind: 'exists',
      atom: 'a',
    });
    const twice = '- macro: m\n  condition: a exists\n';
    expect(conditionOf(`${twice}${rule('m')}${twice.replace('a ex', 'b ex')}`)).toMatchObject({
      atom: 'a',
    });
    expect(
      conditionOf(
        `- list: l\n  items: [k, '"(x)"']\n${rule('a in (l, l2)')}- list: k\n  items: [1, "2,3",]\n`,
      ),
    ).toMatchObject({
      values: ['1', '2', '3', '', '(x)', 'l2'],
    });
  });

  it('warns about misleading texts', () => {
    const { diagnostics, rules } = load(
      rule(
        'm or sf.nosuch exists or sf.proc.args contains "a[b"',
        '  priority: alert enabled: maybe actions: [podname] prefilter: [XX]',
      ),
    );
    expect(diagnostics.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'warning SYSFLOW_UNKNOWN_MACRO',
      ...['ACTION', 'PRIORITY', 'ENABLED', 'PREFILTER', 'UNKNOWN_ATTRIBUTE', 'CUT_TEXT'].map(
        (code) => `warning SYSFLOW_${code}`,
      ),
    ]);
    expect(rules[0]).toMatchObject({ level: 'low', enabled: true });
  });

  it.each([
    ['low', 'low'],
    ['Warning', 'medium'],
    ['critical', 'high'],
    ['alert', 'low'],
  ])('priority %s is %s', (priority, level) => {
    expect(load(rule('a = b', `  priority: ${priority}`)).rules[0]?.level).toBe(level);
  });
});

describe('hostile policies fail with one line', () => {
  const macros = (count: number, body: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => `- macro: m${n}\n  condition: ${body(n)}\n`).join('');

  it.each([
    [
      'parentheses',
      rule(`${'('.repeat(5000)}a = b${')'.repeat(5000)}`),
      'more than 100 nested parentheses',
    ],
    ['nots', rule(`${'not '.repeat(5000)}a = b`), 'more than 100 nested parentheses'],
    [
      'a macro that uses itself',
      `- macro: m\n  condition: m\n${rule('m')}`,
      "macro 'm' uses itself",
    ],
    ['a loop', `${macros(2, (n) => `m${1 - n}`)}${rule('m0')}`, 'uses itself'],
    [
      'growth',
      `${macros(40, (n) => (n === 0 ? 'a = b' : `m${n - 1} or m${n - 1}`))}${rule('m39')}`,
      'with macros expanded',
    ],
    [
      'depth',
      `${macros(400, (n) => (n === 0 ? 'a = b' : `not m${n - 1}`))}${rule('m399')}`,
      'with macros expanded',
    ],
    [
      'lists',
      `${Array.from({ length: 40 }, (_, n) => `- list: l${n}\n  items: [${n === 0 ? 'a' : `l${n - 1}, l${n - 1}`}]\n`).join('')}${rule('a in (l39)')}`,
      'with lists expanded',
    ],
    [
      'a list in itself',
      `- list: l\n  items: [l]\n${rule('a in (l)')}`,
      "list 'l' contains itself",
    ],
    ['quotes', rule(`a = ${'"\''.repeat(50_000)}`), 'expected'],
    ['NUL', rule('a = \0'), 'expected an attribute or a value'],
  ])('%s', (_, content, message) => {
    const started = performance.now();
    const error = errorOf(content);
    expect(error?.message).toContain(message);
    expect(error?.message).not.toContain('\n');
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('a large list is accepted', () => {
    const { diagnostics, rules } = load(
      rule(`sf.proc.exe in (${Array.from({ length: 50_000 }, (_, n) => `x${n}`).join(', ')})`),
    );
    expect(diagnostics).toEqual([]);
    expect(rules).toHaveLength(1);
  });
});
