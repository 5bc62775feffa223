import { describe, expect, it } from 'vitest';
import { type FalcoRules, loadFalcoRules } from '../../../src/check/falco/load.js';

// Rules files that are made to take long or much: each is refused with one clear error, or loads in a moment.

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
    (_, index) => `- macro: m${index}\n  condition: ${index === 0 ? 'evt.type = open' : condition(`m${index - 1}`)}\n`,
  ).join('');

const aliases = (levels: number) =>
  Array.from({ length: levels }, (_, index) => {
    const items = index === 0 ? 'x' : Array.from({ length: 10 }, () => `*a${index - 1}`).join(', ');
    return `- list: l${index}\n  other: &a${index} [${items}]\n  items: [a]\n`;
  }).join('');

const values = (count: number) => Array.from({ length: count }, (_, index) => `value${index}`).join(', ');

describe('a hostile rules file', () => {
  it.each<[string, string, RegExp]>([
    [
      'has macros that name others twice each',
      macros(60, (before) => `${before} or ${before}`) + rule('m59'),
      /too many/,
    ],
    ['has macros in a long chain', macros(5000, (before) => `not ${before}`) + rule('m4999'), /too many/],
    ['opens parentheses without an end', rule(`${'('.repeat(100_000)}evt.type = open`), /deep|expected/],
    ['negates without an end', rule(`${'not '.repeat(100_000)}evt.type = open`), /deep/],
    ['calls transformers within each other', rule(`${'tolower('.repeat(50_000)}proc.name = a`), /nested/],
    ['nests lists of YAML', `- list: l\n  items: ${'['.repeat(50_000)}\n`, /YAML|deep/],
    ['nests maps of YAML', `${'- '.repeat(50_000)}a\n`, /deep|mapping/],
    ['has an output without an end', rule('evt.type = open', '%proc.name '.repeat(10_000)), /64 KiB/],
    [
      'has a list that fills in for itself many times',
      `- list: l\n  items: [${values(20_000)}]\n${rule(`proc.name in (${'l, '.repeat(500)}a)`)}`,
      /too long/,
    ],
  ])('that %s is refused with one error', (_, content, wanted) => {
    const start = performance.now();
    const errors = errorsOf(loadFalcoRules([{ name: 'hostile.yaml', content }]));
    expect(errors).toEqual([expect.stringMatching(wanted)]);
    expect(performance.now() - start).toBeLessThan(60_000);
  });

  it.each<[string, string]>([
    ['aliases of aliases that nothing reads', aliases(12) + rule('evt.type = open')],
    [
      'a list of very many items',
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
