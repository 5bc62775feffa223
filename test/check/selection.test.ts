import { describe, expect, it } from 'vitest';
import type { Rule } from '../../src/check/finding.js';
import { selectRules } from '../../src/check/selection.js';

function rule(name: string, level: string, tags: string[], enabled = true): Rule {
  return {
    name,
    level,
    tags,
    enabled,
    language: 'falco',
    description: '',
    location: { file: 'r', line: 1 },
    needs: [],
  };
}

const rules = [
  rule('Shell in container', 'notice', ['container', 'shell']),
  rule('Read shadow', 'critical', ['filesystem'], false),
  rule('Write below etc', 'error', ['filesystem', 'host']),
  rule('Shell by web server', 'warning', ['shell', 'network'], false),
];

const names = (selection: Parameters<typeof selectRules>[1]) =>
  selectRules(rules, selection).map(({ name }) => name);

describe('selected rules', () => {
  it('are those that their files enable', () => {
    expect(names({})).toEqual(['Shell in container', 'Write below etc']);
  });

  it('those that a switch turns on come last', () => {
    expect(names({ switches: [{ enabled: true, rules: 'Read shadow' }] })).toEqual([
      'Shell in container',
      'Write below etc',
      'Read shadow',
    ]);
  });

  it('switches take effect in order', () => {
    const off = { enabled: false, rules: '*' };
    const on = { enabled: true, rules: 'Write*' };
    expect(names({ switches: [off, on] })).toEqual(['Write below etc']);
    expect(names({ switches: [on, off] })).toEqual([]);
  });

  it.each([
    ['Shell*', ['Shell in container', 'Shell by web server']],
    ['*shadow', ['Read shadow']],
    ['*e*e*e*', ['Shell by web server', 'Write below etc']],
    ['shell', ['Shell in container', 'Shell by web server']],
    ['*', ['Shell in container', 'Read shadow', 'Write below etc', 'Shell by web server']],
  ])('the pattern or tag %s', (pattern, wanted) => {
    const switches = [
      { enabled: false, rules: '*' },
      { enabled: true, rules: pattern },
    ];
    expect(names({ switches }).sort()).toEqual([...wanted].sort());
  });

  it('a pattern does not match parts that overlap', () => {
    expect(() => names({ switches: [{ enabled: true, rules: 'Read shadow*shadow' }] })).toThrow(
      'no rule or tag',
    );
  });

  it('by tags and level', () => {
    expect(names({ tags: ['host', 'nowhere'].slice(0, 1) })).toEqual(['Write below etc']);
    expect(names({ tags: ['container', 'host'] })).toEqual([
      'Shell in container',
      'Write below etc',
    ]);
    expect(names({ minLevel: 'error' })).toEqual(['Write below etc']);
  });

  it('an unknown name is rejected with a suggestion', () => {
    expect(() => names({ switches: [{ enabled: true, rules: 'Read shadwo' }] })).toThrow(
      "no rule or tag is named 'Read shadwo'; did you mean 'Read shadow'?",
    );
    expect(() => names({ tags: ['filesytem'] })).toThrow(
      "no rule has the tag 'filesytem'; did you mean 'filesystem'?",
    );
  });
});
