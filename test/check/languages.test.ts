import { describe, expect, it } from 'vitest';
import { byLanguage, ruleLanguages } from '../../src/check/languages.js';

const file = (content: string) => ({ name: 'rules', content });

describe('rule languages', () => {
  it.each([
    '- rule: a\n  desc: x\n',
    '# comment\n\n  - macro: m\n    condition: evt.num = 1\n',
    '- required_engine_version: 0.31.0\n',
    '- list: l\n  items: []\n',
    '- "rule": a',
  ])('%j is Falco', (content) => {
    expect(byLanguage([file(content)], undefined).map(({ language }) => language.name)).toEqual([
      'falco',
    ]);
  });

  it('the first language takes an unrecognized file and reports its errors', () => {
    expect(byLanguage([file('title: x')], undefined)[0]?.language.name).toBe('falco');
  });

  it('lists next to a policy belong to the policy', () => {
    const files = [
      { name: 'p/a.yaml', content: '- list: l\n  items: [a]\n' },
      { name: 'p/b.yaml', content: '- rule: r\n  desc: d\n  condition: sf.type = PE\n' },
      { name: 'q/a.yaml', content: '- list: l\n  items: [a]\n' },
    ];
    const found = byLanguage(files, undefined).map(({ language, files }) => [
      language.name,
      files.map(({ name }) => name),
    ]);
    expect(found).toEqual([
      ['falco', ['q/a.yaml']],
      ['sysflow', ['p/a.yaml', 'p/b.yaml']],
    ]);
  });

  it('an explicit language overrides recognition', () => {
    expect(byLanguage([file('')], 'falco')).toMatchObject([{ files: [{ name: 'rules' }] }]);
    expect(ruleLanguages).toContain('falco');
  });

  it('an unknown language is rejected', () => {
    expect(() => byLanguage([file('')], 'falko')).toThrow(
      "'falko' is not a rule language; did you mean 'falco'?",
    );
  });
});
