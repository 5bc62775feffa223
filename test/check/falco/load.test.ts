import { describe, expect, it } from 'vitest';
import type { FalcoDiagnostic } from '../../../src/check/falco/diagnostics.js';
import { type FalcoRules, loadFalcoRules } from '../../../src/check/falco/load.js';

const load = (...contents: string[]) =>
  loadFalcoRules(contents.map((content, index) => ({ name: `${index + 1}.yaml`, content })));

const all = ({ loads }: FalcoRules): FalcoDiagnostic[] =>
  loads.flatMap(({ itemDiagnostics, definitionDiagnostics }) => [
    ...itemDiagnostics,
    ...definitionDiagnostics,
  ]);

/** Location and code of each diagnostic. */
const said = (rules: FalcoRules, severity: FalcoDiagnostic['severity']) =>
  all(rules)
    .filter((diagnostic) => diagnostic.severity === severity)
    .map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`);

/** The condition of the first loaded rule. */
function conditionOf(...contents: string[]): string | undefined {
  const loaded = load(...contents);
  expect(all(loaded).filter(({ severity }) => severity === 'error')).toEqual([]);
  return loaded.rules[0]?.condition;
}

const rule = (condition: string, rest = '') =>
  `- rule: r\n  desc: d\n  condition: ${condition}\n  output: o\n  priority: INFO\n${rest}`;

describe('lists', () => {
  it.each([
    [
      'replace their names',
      '- list: l\n  items: [a, b]\n',
      'proc.name in (l)',
      'proc.name in (a, b)',
    ],
    [
      'may contain texts with spaces',
      '- list: l\n  items: [a b, "c d"]\n',
      'proc.name in (l, e)',
      'proc.name in ("a b", "c d", e)',
    ],
    ['may be empty', '- list: l\n  items: []\n', 'proc.name in (a, l)', 'proc.name in (a)'],
    [
      'may be empty as the only item',
      '- list: l\n  items: []\n',
      'proc.name in (l)',
      'proc.name in ()',
    ],
    [
      'may be appended to',
      '- list: l\n  items: [a]\n- list: l\n  items: [b]\n  override: {items: append}\n',
      'proc.name in (l)',
      'proc.name in (a, b)',
    ],
    [
      'may be used in other lists',
      '- list: k\n  items: [a]\n- list: l\n  items: [k, b]\n',
      'proc.name in (l)',
      'proc.name in (a, b)',
    ],
    [
      'do not match parts of words',
      '- list: l\n  items: [a]\n',
      'proc.name in (l2, l)',
      'proc.name in (l2, a)',
    ],
  ])('%s', (_, lists, condition, wanted) => {
    expect(conditionOf(lists + rule(condition))).toBe(wanted);
  });

  it('may follow the rules that use them', () => {
    expect(conditionOf(rule('proc.name in (l)'), '- list: l\n  items: [x]\n')).toBe(
      'proc.name in (x)',
    );
  });
});

describe('macros', () => {
  it('expand in parentheses', () => {
    const macros = '- macro: m\n  condition: proc.name = a or proc.name = b\n';
    expect(conditionOf(macros + rule('m and not m'))).toBe(
      '((proc.name = a or proc.name = b) and not (proc.name = a or proc.name = b))',
    );
  });

  it('may be appended to and replaced', () => {
    const first = '- macro: m\n  condition: proc.name = a\n';
    const appended = '- macro: m\n  condition: or proc.name = b\n  override: {condition: append}\n';
    expect(conditionOf(first + appended + rule('m'))).toBe('(proc.name = a or proc.name = b)');
    expect(conditionOf(`${first}- macro: m\n  condition: proc.name = c\n${rule('m')}`)).toBe(
      'proc.name = c',
    );
  });

  it('must be defined', () => {
    expect(said(load(rule('m and proc.name = a')), 'error')).toEqual([
      '1.yaml:3:14 LOAD_ERR_VALIDATE',
    ]);
  });

  it('must not use themselves or grow without limit', () => {
    const own = '- macro: m\n  condition: m or proc.name = a\n';
    expect(said(load(own + rule('m')), 'error')).toHaveLength(1);
    let grown = '- macro: m0\n  condition: proc.name = a or proc.name = b\n';
    for (let index = 1; index < 40; index++)
      grown += `- macro: m${index}\n  condition: m${index - 1} or m${index - 1}\n`;
    const [error] = all(load(grown + rule('m39'))).filter(({ severity }) => severity === 'error');
    expect(error?.message).toContain('too');
  });
});

describe('rules', () => {
  it('keep their position when they are redefined', () => {
    const named = (name: string, condition: string) =>
      rule(condition).replace('rule: r', `rule: ${name}`);
    const loaded = load(
      named('a', 'evt.type = open') +
        named('b', 'evt.type = close') +
        named('a', 'evt.type = read'),
    );
    expect(loaded.rules.map(({ definition, condition }) => [definition.name, condition])).toEqual([
      ['a', 'evt.type = read'],
      ['b', 'evt.type = close'],
    ]);
  });

  it('may be appended to and partly replaced', () => {
    const more = `- rule: r
  condition: and proc.name = a
  output: "pid=%proc.pid"
  tags: [t]
  priority: ERROR
  enabled: false
  override: {condition: append, output: append, tags: append, priority: replace, enabled: replace}
`;
    const [made] = load(rule('evt.type = open', '  tags: [s]\n') + more).rules;
    expect(made?.condition).toBe('(evt.type = open and proc.name = a)');
    expect(made?.definition).toMatchObject({ level: 'error', enabled: false });
    expect(made?.definition.output.text).toBe('o pid=%proc.pid');
    expect([...(made?.definition.tags ?? [])]).toEqual(['s', 't']);
  });

  it('of another source, or with unknown fields, may be skipped', () => {
    const loaded = load(
      rule('evt.type = open and foo.bar = 1', '  skip-if-unknown-filter: true\n') +
        rule('ka.verb = get', '  source: k8s_audit\n').replace('rule: r', 'rule: k'),
    );
    expect(loaded.isOk).toBe(true);
    expect(loaded.rules.map(({ leftOut }) => leftOut)).toEqual([
      expect.stringContaining('foo.bar'),
      'its source is k8s_audit, and captures contain system calls',
    ]);
    expect(said(loaded, 'warning')).toEqual([
      '1.yaml:7:3 LOAD_UNKNOWN_SOURCE',
      '1.yaml:3:34 LOAD_UNKNOWN_FILTER',
    ]);
  });

  it('list what captures lack', () => {
    const [asked, container, never] = load(
      rule('evt.type = connect and fd.sip.name = example.com') +
        rule('evt.type = open and container.image.repository = a').replace('rule: r', 'rule: s') +
        rule('evt.type in ()').replace('rule: r', 'rule: t'),
    ).rules;
    expect(asked?.unavailableFields).toEqual(['fd.sip.name']);
    expect(container?.containerFields).toEqual(['container.image.repository']);
    expect([container?.canMatch, never?.canMatch]).toEqual([true, false]);
  });
});

describe('exceptions', () => {
  const base = (exceptions: string) => rule('evt.type = open', `  exceptions:\n${exceptions}`);

  it.each([
    [
      'of several fields',
      '    - name: e\n      fields: [proc.name, fd.name]\n      comps: [=, startswith]\n      values:\n        - [a, /b]\n        - [c d, /e]\n',
      '(evt.type = open and not ((proc.name = a and fd.name startswith /b) or (proc.name = "c d" and fd.name startswith /e)))',
    ],
    [
      'with lists as values',
      '    - name: e\n      fields: [proc.name, fd.name]\n      comps: [in, =]\n      values:\n        - [[a, b], /c]\n',
      '(evt.type = open and not (proc.name in (a, b) and fd.name = /c))',
    ],
    [
      'of one field',
      '    - name: e\n      fields: proc.name\n      values: [a, b c]\n',
      '(evt.type = open and not proc.name in (a, "b c"))',
    ],
    ['without values', '    - name: e\n      fields: [proc.name]\n', 'evt.type = open'],
  ])('%s', (_, exceptions, wanted) => {
    expect(conditionOf(base(exceptions))).toBe(wanted);
  });

  it('get values from another file', () => {
    const more =
      '- rule: r\n  exceptions:\n    - name: e\n      values: [[b]]\n  override: {exceptions: append}\n';
    const first = base('    - name: e\n      fields: [proc.name]\n      values: [[a]]\n');
    expect(conditionOf(first, more)).toBe(
      '(evt.type = open and not (proc.name = a or proc.name = b))',
    );
  });

  it.each([
    [
      'an unknown field',
      '    - name: e\n      fields: [foo.bar]\n      values: [[a]]\n',
      "there is no field 'foo.bar'",
    ],
    [
      'an unknown operator',
      '    - name: e\n      fields: [proc.name]\n      comps: [like]\n      values: [[a]]\n',
      "there is no operator 'like'",
    ],
    [
      'fewer values than fields',
      '    - name: e\n      fields: [proc.name, fd.name]\n      values: [[a]]\n',
      'there are 2 fields and 1 values',
    ],
    [
      'no fields',
      '    - name: e\n      fields: []\n      values: []\n',
      'the exception has no fields',
    ],
  ])('with %s are rejected', (_, exceptions, message) => {
    const errors = all(load(base(exceptions))).filter(({ severity }) => severity === 'error');
    expect(errors.map((error) => error.message)).toEqual([message]);
  });

  it('must not grow without limit through nested aliases', () => {
    const wide = Array.from({ length: 1100 }, () => '*a').join(', ');
    const values = `  values: &b [${Array.from({ length: 1100 }, () => '*b0').join(', ')}]\n`;
    const text = `- x: &a v\n  y: &b0 [${wide}]\n${base(`    - name: e\n      fields: [proc.name]\n    ${values}`)}`;
    expect(all(load(text)).map(({ message }) => message)).toContain(
      'the exceptions of the file have too many values',
    );
  });
});

describe('errors', () => {
  it.each([
    ['is not YAML', '- rule: [\n', '1.yaml:2:1 LOAD_ERR_YAML_PARSE'],
    ['is a text', 'rules\n', '1.yaml:1:1 LOAD_ERR_YAML_VALIDATE'],
    [
      'has a rule without an output',
      '- rule: r\n  desc: d\n  condition: evt.type = open\n  priority: INFO\n',
      '1.yaml:1:3 LOAD_ERR_YAML_VALIDATE',
    ],
    [
      'has an invalid priority',
      rule('evt.type = open').replace('INFO', 'WARN'),
      '1.yaml:5:13 LOAD_ERR_YAML_VALIDATE',
    ],
    [
      'uses an unknown field',
      rule('evt.type = open and\n    foo.bar = 1'),
      '1.yaml:4:5 LOAD_ERR_COMPILE_CONDITION',
    ],
    [
      'has a condition that ends too soon',
      rule('evt.type = open and'),
      '1.yaml:3:33 LOAD_ERR_COMPILE_CONDITION',
    ],
    [
      'has an output with an unknown field',
      rule('evt.type = open').replace('output: o', 'output: "%foo.bar x"'),
      '1.yaml:4:12 LOAD_ERR_COMPILE_OUTPUT',
    ],
    ['needs a newer engine', '- required_engine_version: 0.63.0\n', '1.yaml:1:3 LOAD_ERR_VALIDATE'],
    [
      'appends to nothing',
      '- list: l\n  items: [a]\n  override: {items: append}\n',
      '1.yaml:1:3 LOAD_ERR_VALIDATE',
    ],
  ])('a file that %s', (_, content, wanted) => {
    const loaded = load(content);
    expect(said(loaded, 'error')).toEqual([wanted]);
    expect(loaded.isOk).toBe(false);
  });

  it('point into the file that contains the text', () => {
    const macro = '- macro: m\n  condition: evt.type = open and fd.num = x\n';
    expect(said(load(macro, rule('m')), 'error')[0]).toMatch(
      /^1\.yaml:2:\d+ LOAD_ERR_COMPILE_CONDITION$/,
    );
  });

  it('stop loading: later files are not read', () => {
    const loaded = load(rule('evt.type = open'), 'rules', rule('foo'));
    expect(loaded.loads.map(({ file }) => file)).toEqual(['1.yaml', '2.yaml']);
    expect(loaded.rules.map(({ condition }) => condition)).toEqual(['evt.type = open']);
  });

  it('show the line with a caret below it', () => {
    const [error] = all(load(rule('evt.type = open and foo.bar = 1')));
    expect(error?.snippet).toBe(
      '  condition: evt.type = open and foo.bar = 1\n                                 ^',
    );
  });

  it('shorten long lines', () => {
    const [error] = all(
      load(rule(`evt.type = open and proc.name in (${'a, '.repeat(5000)}b) and foo.bar = 1`)),
    );
    expect(error?.snippet?.split('\n')[0]?.length).toBeLessThan(150);
    expect(error?.snippet).toContain('foo.bar');
  });
});

describe('warnings', () => {
  it.each([
    ['nothing uses a macro', '- macro: m\n  condition: evt.type = open\n', ['LOAD_UNUSED_MACRO']],
    ['nothing uses a list', '- list: l\n  items: [a]\n', ['LOAD_UNUSED_LIST']],
    ['an item is unknown', '- thing: x\n', ['LOAD_UNKNOWN_ITEM']],
    ['a key is unknown', rule('evt.type = open', '  colour: red\n'), ['LOAD_UNKNOWN_KEY']],
    [
      'append is deprecated',
      `${rule('evt.type = open')}- rule: r\n  condition: and proc.name = a\n  append: true\n`,
      ['LOAD_DEPRECATED_ITEM'],
    ],
    ['a condition matches every event type', rule('proc.name = a'), ['LOAD_NO_EVTTYPE']],
  ])('where %s', (_, content, codes) => {
    expect(all(load(content)).map(({ severity, code }) => `${severity} ${code}`)).toEqual(
      codes.map((code) => `warning ${code}`),
    );
  });
});
