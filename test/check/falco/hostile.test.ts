import { describe, expect, it } from 'vitest';
import { type FalcoRules, loadFalcoRules } from '../../../src/check/falco/load.js';

// Rule files built to take much time or memory: each fails with one clear error, or loads quickly.

const rule = (condition: string, output = 'o') =>
  `- rule: r\n  desc: d\n  condition: ${condition}\n  output: "${output}"\n  priority: INFO\n`;

const errorsOf = ({ loads }: FalcoRules) =>
  loads.flatMap(({ itemDiagnostics, definitionDiagnostics }) =>
    [...itemDiagnostics, ...definitionDiagnostics]
      .filter(({ severity }) => severity === 'error')
      .map(({ message }) => message),
  );

const macros = (count: number, condition: (before: string) => string) =>
  Array.from(
    { length: count },
    (_, index) =>
      `- macro: m${index}\n  condition: ${index === 0 ? 'evt.type = open' : condition(`m${index - 1}`)}\n`,
  ).join('');

const aliases = (levels: number) =>
  Array.from({ length: levels }, (_, index) => {
    const items = index === 0 ? 'x' : Array.from({ length: 10 }, () => `*a${index - 1}`).join(', ');
    return `- list: l${index}\n  other: &a${index} [${items}]\n  items: [a]\n`;
  }).join('');

const values = (count: number) =>
  Array.from({ length: count }, (_, index) => `value${index}`).join(', ');

describe('a hostile rule file', () => {
  it.each<[string, string, RegExp]>([
    [
      'has macros that each use another one twice',
      macros(60, (before) => `${before} or ${before}`) + rule('m59'),
      /too many/,
    ],
    [
      'has macros in a long chain',
      macros(5000, (before) => `not ${before}`) + rule('m4999'),
      /too many/,
    ],
    ['has unclosed parentheses', rule(`${'('.repeat(100_000)}evt.type = open`), /deep|expected/],
    ['negates endlessly', rule(`${'not '.repeat(100_000)}evt.type = open`), /deep/],
    ['nests transformers', rule(`${'tolower('.repeat(50_000)}proc.name = a`), /nested/],
    ['nests YAML lists', `- list: l\n  items: ${'['.repeat(50_000)}\n`, /YAML|deep/],
    ['nests YAML maps', `${'- '.repeat(50_000)}a\n`, /deep|mapping/],
    ['has an endless output', rule('evt.type = open', '%proc.name '.repeat(10_000)), /64 KiB/],
    [
      'has a list that expands to itself many times',
      `- list: l\n  items: [${values(20_000)}]\n${rule(`proc.name in (${'l, '.repeat(500)}a)`)}`,
      /too long/,
    ],
  ])('that %s fails with one error', (_, content, wanted) => {
    const start = performance.now();
    const errors = errorsOf(loadFalcoRules([{ name: 'hostile.yaml', content }]));
    expect(errors).toEqual([expect.stringMatching(wanted)]);
    expect(performance.now() - start).toBeLessThan(60_000);
  });

  it.each<[string, string]>([
    ['unused aliases of aliases', aliases(12) + rule('evt.type = open')],
    [
      'a list with very many items',
      `- list: l\n  items: [${values(50_000)}]\n${rule('evt.type = open and proc.name in (l)')}`,
    ],
    [
      'very many lists',
      Array.from({ length: 5000 }, (_, index) => `- list: l${index}\n  items: [a]\n`).join('') +
        rule('evt.type = open'),
    ],
    [
      'very many checks',
      rule(
        `evt.type = open and (${Array.from({ length: 20_000 }, (_, index) => `proc.name = a${index}`).join(' or ')})`,
      ),
    ],
  ])('may hold %s', (_, content) => {
    const start = performance.now();
    expect(errorsOf(loadFalcoRules([{ name: 'large.yaml', content }]))).toEqual([]);
    expect(performance.now() - start).toBeLessThan(60_000);
  });
});
