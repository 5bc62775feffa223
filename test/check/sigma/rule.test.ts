import { describe, expect, test } from 'vitest';
import { sigma } from '../../../src/check/sigma/sigma.js';
import { load, ruleOf } from './rows.js';

const head = 'title: t\nlogsource: {category: process_creation, product: linux}\n';
const rule = (detection: string, more = '') => `${more}${head}detection:\n${detection}`;
const simple = '  s: {Image: /bin/sh}\n  condition: s\n';

function problem(content: string): string | undefined {
  const [first] = load(content).diagnostics;
  return first && `${first.line}:${first.column}: ${first.severity}: ${first.message}`;
}

describe('a Sigma rule', () => {
  test('has everything in its file', () => {
    const content = `title: A title
id: 00000000-0000-4000-8000-000000000001
name: a_title
related: [{id: 00000000-0000-4000-8000-000000000002, type: derived}]
status: test
description: |
  Two
  lines
license: MIT
author: Ann Author, Bob 'bb' Builder
references: [https://example.org/1]
date: 2026-01-31
modified: 2026-02-01
tags: [attack.execution, attack.t1059, attack.execution]
logsource: {category: process_creation, product: linux, definition: any}
detection: {s: {Image: /bin/sh}, condition: s}
fields: [CommandLine]
falsepositives: Unlikely
level: high
scope: [server]
own: {key: 1}
`;
    expect(load(content)).toMatchObject({
      diagnostics: [],
      rules: [
        {
          title: 'A title',
          id: '00000000-0000-4000-8000-000000000001',
          name: 'a_title',
          level: 'high',
          status: 'test',
          tags: ['attack.execution', 'attack.t1059'],
          description: 'Two\nlines\n',
          author: "Ann Author, Bob 'bb' Builder",
          license: 'MIT',
          references: ['https://example.org/1'],
          falsePositives: ['Unlikely'],
          fields: ['CommandLine'],
          logsource: { category: 'process_creation', product: 'linux' },
          unsupported: undefined,
          file: 'rule.yml',
          line: 1,
        },
      ],
    });
  });

  test('has level medium by default', () => expect(ruleOf(rule(simple)).level).toBe('medium'));

  test('may share a file with others', () => {
    const { rules, diagnostics } = load(
      `---\n${rule(simple)}---\n# nothing\n---\n${rule(simple, 'level: low\n')}`,
    );
    expect(diagnostics).toEqual([]);
    expect(rules.map(({ line, level }) => [line, level])).toEqual([
      [2, 'medium'],
      [10, 'low'],
    ]);
  });

  test('may be JSON', () => {
    const json = JSON.stringify({
      title: 't',
      logsource: { category: 'file_event' },
      detection: { s: { a: 'b' }, condition: 's' },
    });
    expect(ruleOf(json).title).toBe('t');
    expect(sigma.recognizes(json)).toBe(false);
    expect(sigma.recognizes(JSON.stringify(JSON.parse(json), null, 2))).toBe(true);
  });

  test('is recognized by its keys', () => {
    expect(sigma.recognizes(rule(simple))).toBe(true);
    expect(sigma.recognizes(`\ufeff# licence\r\n${rule(simple).replaceAll('\n', '\r\n')}`)).toBe(
      true,
    );
    expect(sigma.recognizes('- rule: a\n  title: b\n  detection: c\n')).toBe(false);
    expect(sigma.recognizes('title: only\n')).toBe(false);
  });
});

describe('invalid Sigma is an error with its location', () => {
  test.for([
    ['a: [', /^1:\d+: error: /],
    ['- a\n', '1:1: error: a rule must be a map with title, logsource and detection'],
    [`${head}`, "1:1: error: the rule has no 'detection'"],
    [rule(simple).replace('title: t\n', ''), "1:1: error: the rule has no 'title'"],
    [
      rule(simple).replace('title: t', `title: ${'x'.repeat(257)}`),
      "1:8: error: 'title' has more than 256 characters",
    ],
    [rule(simple).replace(/logsource.*\n/, ''), "1:1: error: the rule has no 'logsource'"],
    [
      rule(simple).replace(/logsource.*\n/, 'logsource: linux\n'),
      "2:12: error: 'logsource' must be a map with category, product or service",
    ],
    [
      rule(simple).replace(/logsource.*\n/, 'logsource: {}\n'),
      "2:12: error: 'logsource' has no category, product or service",
    ],
    [
      rule(simple, 'level: hgih\n'),
      "1:8: error: 'level' must be one of informational, low, medium, high, critical, found 'hgih'",
    ],
    [rule(simple, 'status: new\n'), /^1:9: error: 'status' must be one of stable, /],
    [rule(simple, 'tags: {a: b}\n'), "1:7: error: 'tags' must be a list of texts"],
    [rule(simple, 'title: again\n'), "2:1: error: duplicate key 'title'"],
    [
      `${head}detection: s\n`,
      "3:12: error: 'detection' must be a map of selections and a condition",
    ],
    [`${head}detection: {condition: s}\n`, "3:12: error: 'detection' has no selection"],
    [rule('  s: {Image: a}\n'), "4:3: error: 'detection' has no condition"],
    [rule('  s: {}\n  condition: s\n'), '4:6: error: a selection is empty'],
    [rule('  s: []\n  condition: s\n'), '4:6: error: a selection is empty'],
    [
      rule('  s: {Image: {a: b}}\n  condition: s\n'),
      '4:14: error: expected a text, a number, true, false or null, found a map',
    ],
    [
      rule('  s: {Image: [[a]]}\n  condition: s\n'),
      '4:15: error: expected a text, a number, true, false or null, found a list',
    ],
    [
      rule('  s: {Image: a, Image: b}\n  condition: s\n'),
      "4:17: error: duplicate key 'Image'; use '|all' or another selection",
    ],
    [
      rule('  s: {Image: a}\n  s: {Image: b}\n  condition: s\n'),
      "5:3: error: duplicate selection 's'",
    ],
    [
      rule('  s: {Image|contians: a}\n  condition: s\n'),
      "4:7: error: unknown modifier 'contians'; did you mean 'contains'?",
    ],
    [
      rule('  s: {Image|re: "a("}\n  condition: s\n'),
      "4:17: error: the regular expression 'a(' has a '(' without its ')'",
    ],
    [
      rule('  s: {Image|cidr: 10.0.0.1/8}\n  condition: s\n'),
      "4:19: error: '10.0.0.1/8': the bits after the first 8 must be 0",
    ],
    [
      rule('  s: {Image|cidr: x}\n  condition: s\n'),
      "4:19: error: 'x': not a network; expected one like 10.0.0.0/8 or fe80::/10",
    ],
    [rule('  s: {Image|gt: x}\n  condition: s\n'), "4:17: error: modifier 'gt' expects a number"],
    [
      rule('  s: {Image|exists: x}\n  condition: s\n'),
      "4:21: error: modifier 'exists' expects true or false",
    ],
    [
      rule('  s: {Image|contains: null}\n  condition: s\n'),
      "4:23: error: modifier 'contains' expects a text",
    ],
    [
      rule('  s: {Image|i: a}\n  condition: s\n'),
      "4:16: error: modifier 'i' expects 're' before it",
    ],
    [
      rule('  s: {Image|contains|re: a}\n  condition: s\n'),
      "4:26: error: modifier 're' expects to come before other modifiers that change the value",
    ],
    [
      rule('  s: {Image|base64: a*}\n  condition: s\n'),
      "4:21: error: modifier 'base64' expects a text without wildcards",
    ],
    [
      rule('  s: {Image|wide: ä}\n  condition: s\n'),
      '4:19: error: these letters in UTF-16 are not text; base64 or base64offset must follow',
    ],
    [rule('  s: [null]\n  condition: s\n'), '4:7: error: null, true and false need a field'],
  ] as const)('%j', ([content, expected]) => {
    if (typeof expected === 'string') expect(problem(content)).toBe(expected);
    else expect(problem(content)).toMatch(expected);
    expect(load(content).rules).toEqual([]);
  });

  test.for([
    ['t', "no selection is named 't'; did you mean 's'?", 14],
    ['s and', 'expected a selection, found the end', 14],
    ['s or and s', "a selection is missing before 'and'", 19],
    ['(s', "a '(' without its ')'", 14],
    ['s )', "expected 'and', 'or' or the end, found ')'", 16],
    ['s s', "expected 'and', 'or' or the end, found 's'", 16],
    ['s AND s', "expected 'and', 'or' or the end, found 'AND'", 16],
    ['NOT s', "write 'NOT' in lower case", 14],
    ['2 of s', "'2 of': expected '1 of', 'any of' or 'all of'", 14],
    ['1 of', "expected 'them' or a pattern for selection names after 'of'", 14],
    ['1 of t*', 'the condition names no existing selection', 14],
    ["''", 'it is empty', 14],
  ] as const)('condition %j', ([condition, message, column]) => {
    const prefix = message.startsWith('the condition') ? '' : 'condition: ';
    expect(problem(rule(`  s: {Image: a}\n  condition: ${condition}\n`))).toBe(
      `5:${column}: error: ${prefix}${message}`,
    );
  });
});

describe('unusual formats are warnings', () => {
  test.for([
    ['id: 1', "1:5: warning: 'id' must be a UUID, found '1'"],
    ['date: 31.1.2026', "1:7: warning: 'date' must be a date like 2026-01-31, found '31.1.2026'"],
    [
      'tags: [attack]',
      "1:8: warning: 'tags' must be a namespace and a name, like attack.t1059, found 'attack'",
    ],
  ] as const)('%s', ([line, expected]) => {
    expect(problem(rule(simple, `${line}\n`))).toBe(expected);
    expect(load(rule(simple, `${line}\n`)).rules).toHaveLength(1);
  });

  test('dates with slashes are accepted', () =>
    expect(problem(rule(simple, 'date: 2019/05/12\n'))).toBeUndefined());
});

describe('an unsupported feature is named, and the rule is still listed', () => {
  test.for([
    [
      'title: c\ncorrelation: {type: event_count, rules: [a], timespan: 1m, condition: {gte: 3}}\n',
      'it is a correlation, which sfkit does not support',
    ],
    [
      'title: f\nlogsource: {product: linux}\nfilter: {rules: any, selection: {a: b}, condition: selection}\n',
      'it is a filter for other rules, which sfkit does not support',
    ],
    [
      'title: g\naction: global\n',
      "it is part of a collection with 'action', which Sigma no longer supports",
    ],
    [
      rule('  s: {Image: a}\n  condition: s | count() by User > 3\n'),
      "its condition has '|': Sigma replaced counts and 'near' by correlations, which sfkit does not support",
    ],
    [rule("  s: {'User|expand': '%admins%'}\n  condition: s\n"), "'expand': %admins% has no value"],
    [
      rule("  s: {'Image|re': 'a(?=b)'}\n  condition: s\n"),
      "the regular expression 'a(?=b)' has a lookahead, which DuckDB's RE2 does not",
    ],
    [
      rule(`  s: {Image: a}\n  condition: ${'('.repeat(200)}s${')'.repeat(200)}\n`),
      'its condition has more than 100 nested parentheses',
    ],
  ] as const)('%j', ([content, reason]) => {
    const { rules, diagnostics } = load(content);
    expect(diagnostics).toEqual([]);
    expect(rules).toMatchObject([{ detection: undefined, unsupported: reason }]);
  });
});
