import { expect, test } from 'vitest';
import { compileRule } from '../../../src/check/sigma/compile.js';
import { builtInMapping } from '../../../src/check/sigma/mapping.js';
import { load } from './rows.js';

// Files built to exhaust time or memory: each fails quickly with a one-line reason, or is
// evaluated.

const head = 'title: t\nlogsource: {category: process_creation, product: linux}\n';
const rule = (detection: string) => `${head}detection:\n${detection}`;
const selection = (text: string) => rule(`  s: ${text}\n  condition: s\n`);
const repeated = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index));
const list = (count: number, text: (index: number) => string) =>
  `[${repeated(count, text).join(', ')}]`;

/** Result for the only rule: an error, a reason, or the length of its SQL. */
function endOf(content: string): string | number {
  const { rules, diagnostics } = load(content);
  const [error] = diagnostics.filter(({ severity }) => severity === 'error');
  if (error !== undefined) return error.message;
  const [only] = rules;
  if (only === undefined) throw new Error('no rule and no error');
  const { condition, reason } = compileRule(only, builtInMapping);
  if (condition === undefined) return reason ?? '';
  return Object.values(condition).join('').length;
}

const bomb = [
  'a: &a0 [x, x, x, x, x, x, x, x, x, x]',
  ...repeated(9, (index) => `b${index}: &a${index + 1} ${list(10, () => `*a${index}`)}`),
].join('\n');

test.for<[string, string, string | RegExp]>([
  [
    'nested lists',
    selection(`${'['.repeat(100_000)}${']'.repeat(100_000)}`),
    'the nesting is too deep',
  ],
  [
    'nested maps',
    selection(`${'{a: '.repeat(50_000)}1${'}'.repeat(50_000)}`),
    'the nesting is too deep',
  ],
  [
    'lists of lists',
    selection(`${'['.repeat(40)}a: b${']'.repeat(40)}`),
    'it has too many nested lists',
  ],
  [
    'aliases of aliases',
    `${head}${bomb}\ndetection: {s: {Image: *a9}, condition: s}\n`,
    'it has more than 1000000 values with aliases expanded',
  ],
  [
    'brackets',
    rule(`  s: {Image: a}\n  condition: ${'('.repeat(100_000)}s${')'.repeat(100_000)}\n`),
    'its condition has more than 100 nested parentheses',
  ],
  [
    'patterns of many selections',
    rule(
      `${repeated(2000, (index) => `  s${index}: {Image: a}\n`).join('')}  condition: ${repeated(100, () => '1 of s*').join(' or ')}\n`,
    ),
    'its condition names more than 100000 selections',
  ],
  [
    'a selection many times',
    rule(
      `  s: {Image: ${list(1000, String)}}\n  condition: ${repeated(300, () => 's').join(' or ')}\n`,
    ),
    'it has more than 200000 tests',
  ],
  [
    'many regular expressions',
    selection(`{Image|re: ${list(6000, (index) => `x${index}.*y`)}}`),
    'its SQL has more than 5000 tests or 4000000 characters',
  ],
  [
    'many texts at once',
    selection(`{CommandLine|contains|all: ${list(20_000, (index) => `x${index}`)}}`),
    'its SQL has more than 5000 tests or 4000000 characters',
  ],
  [
    'many fields',
    selection(`{${repeated(20_000, (index) => `F${index}: 1`).join(', ')}}`),
    /^sfkit has no field 'F0' for this log; .*; 19997 more$/,
  ],
  [
    'dashes',
    selection(`{'CommandLine|windash|base64|contains': '${' -a'.repeat(40)}'}`),
    "'base64' of a text with more than 3125 variants",
  ],
  [
    'wide text',
    selection(`{'CommandLine${'|wide'.repeat(60)}|contains': abc}`),
    "'wide' makes a value longer than 1000000 characters",
  ],
  [
    'Base64 of Base64',
    selection(`{'CommandLine${'|base64'.repeat(200)}|contains': abc}`),
    "'base64' makes a value longer than 1000000 characters",
  ],
  [
    'offsets of offsets',
    selection(`{'CommandLine${'|base64offset'.repeat(30)}|contains': abc}`),
    "'base64offset' makes a value longer than 1000000 characters",
  ],
  ['a long title', `title: ${'x'.repeat(100_000)}\n`, "'title' has more than 256 characters"],
  [
    'a long regular expression',
    selection(`{Image|re: '${'(a|b)*'.repeat(5000)}'}`),
    'a regular expression of more than 10000 characters',
  ],
  [
    'a long number',
    selection(`{Image|gt: ${'9'.repeat(100_000)}}`),
    "modifier 'gt' expects a number",
  ],
])('%s', { timeout: 120_000 }, ([, content, expected]) => {
  const end = endOf(content);
  expect(String(end).includes('\n')).toBe(false);
  if (typeof expected === 'string') expect(end).toBe(expected);
  else expect(end).toMatch(expected);
});

test.for<[string, string, number]>([
  ['100,000 texts', selection(`{Image: ${list(100_000, (index) => `/bin/x${index}`)}}`), 2_000_000],
  [
    '100,000 texts to search',
    selection(`{CommandLine|contains: ${list(100_000, (index) => `x${index}`)}}`),
    1_500_000,
  ],
  [
    '100,000 endings',
    selection(`{Image|endswith: ${list(100_000, (index) => `/x${index}`)}}`),
    1_500_000,
  ],
  ['not, 100,000 times', rule(`  s: {Image: a}\n  condition: ${'not '.repeat(100_000)}s\n`), 200],
  [
    'a name, 100,000 times',
    rule(`  s: {Image: a}\n  condition: ${'s or '.repeat(100_000)}s\n`),
    200,
  ],
  ['wildcards', selection(`{CommandLine: '${'*?'.repeat(50_000)}'}`), 1_000_000],
  ['stars', selection(`{type: '${'*'.repeat(100_000)}'}`), 1000],
  [
    'dashes in a text',
    selection(`{'CommandLine|windash|contains': '${' -a'.repeat(1000)}'}`),
    100_000,
  ],
])('%s are evaluated', { timeout: 120_000 }, ([name, content, longest]) => {
  const end = endOf(
    name === 'stars' ? content.replace('category: process_creation', 'service: auditd') : content,
  );
  expect(end).toBeTypeOf('number');
  expect(end).toBeLessThan(longest);
});
