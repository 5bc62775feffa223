import { describe, expect, it } from 'vitest';
import { byLanguage, ruleLanguages } from '../../src/check/languages.js';

const file = (content: string) => ({ name: 'rules', content });

describe('languages of rules', () => {
  it.each([
    '- rule: a\n  desc: x\n',
    '# comment\n\n  - macro: m\n    condition: evt.num = 1\n',
    '- required_engine_version: 0.31.0\n',
    '- list: l\n  items: []\n',
    '- "rule": a',
  ])('%j is Falco', (content) => {
    expect(byLanguage([file(content)], undefined).map(({ language }) => language.name)).toEqual(['falco']);
  });

  it('a file that looks like nothing is of the first language, which says what is wrong', () => {
    expect(byLanguage([file('title: x')], undefined)[0]?.language.name).toBe('falco');
  });

  it('one that is wanted is taken whatever files look like', () => {
    expect(byLanguage([file('')], 'falco')).toMatchObject([{ files: [{ name: 'rules' }] }]);
    expect(ruleLanguages).toContain('falco');
  });

  it('one that is not there is refused', () => {
    expect(() => byLanguage([file('')], 'falko')).toThrow("'falko' is no language of rules; did you mean 'falco'?");
  });
});
