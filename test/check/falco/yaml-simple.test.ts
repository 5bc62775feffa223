import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseYamlWithLibrary } from '../../../src/check/falco/yaml-library.js';
import { Lines, type YamlNode } from '../../../src/check/falco/yaml-nodes.js';
import { parseSimpleYaml } from '../../../src/check/falco/yaml-simple.js';

/** A node with all its locations, without its functions. */
function whole(node: YamlNode): unknown {
  if (node.kind === 'sequence') return { ...node, items: node.items.map(whole) };
  if (node.kind !== 'map') return node;
  const { pairs, mark } = node;
  return { kind: 'map', mark, pairs: pairs.map(({ key, value }) => [whole(key), whole(value)]) };
}

const parseSimple = (text: string) => parseSimpleYaml(text, new Lines(text))?.map(whole);
const parseAny = (text: string) => parseYamlWithLibrary(text, new Lines(text)).map(whole);

const samples = [
  '- rule: Shell started\n  desc: A shell.\n  priority:\n    NOTICE\n  enabled: false\n',
  "# first\n\n- list: a\n  items: [b, \"c d\", 'it''s', e:f, x-]\n",
  '- list: a\n  items: [b, # why\n    c,\n\n    d\n  ]\n- list: e\n  items: [\n    f, ]   # end\n',
  '- list: a\n  items: []\n- macro: m\n  condition: (a = b) # never\n',
  '- list: a\n  items:\n  - b\n  # between\n  - "c"\n- list: d\n  items:\n    - e\n\n    - f\n  append: true\n',
  '- exceptions:\n    - name: n\n      fields: [a, b]\n      values:\n        - [x, [y, z]]\n        - [[x], "y"]\n',
  '- desc: one\n    two\n\n\n    - three # and no more\n  output: x#y\n',
  '- condition: >\n    a and\n    b\n\n      more\n\n    c\n\n\n- condition: |\n   x\n     y\n\n   z\n',
  '- a: >-\n    one\n\n- b: |-\n\n\n    two\n   # a comment\n- c: >\n\n\n    three',
  '- a: "quoted \\"here\\" and \\\\ \\n"\n  b: \'# no comment\'\n',
  'title: é ü 漢\nlogsource:\n  product: linux\nnothing: ~\nagain: null\n',
  '-   a: b\n    c: d\n-   e\n- [f]\n',
  '- a: 1\n  a: 2',
].map((text): [string] => [text]);

describe('usual YAML', () => {
  it.each(samples)('gives the same nodes as the library: %j', (text) => {
    expect(parseSimple(text)).toBeDefined();
    expect(parseSimple(text)).toEqual(parseAny(text));
  });

  it.each([
    '',
    'text\n',
    '- a:\n',
    '- &a b\n',
    '- *a\n',
    '- !t a\n',
    '- {a: b}\n',
    '- ? a\n',
    '- - a\n',
    '---\n- a\n',
    '- a\n...\n',
    '- a\n---\n- b\n',
    '-\ta\n',
    '- a\r\n',
    '- a: b: c\n',
    '- a: b\n    c: d\n',
    '- a: b\n c: d\n',
    '- a: >2\n    b\n',
    '- a: |+\n    b\n\n',
    '- a: >\n  b\n',
    '- a: >\n     \n    b\n',
    '- a: b # c\n    d\n',
    '- "a\n  b"\n',
    '- "\\x41"\n',
    '- "a" b\n',
    "- 'a\n",
    '- [a\n  b]\n',
    '- [a, , b]\n',
    '- [a: b]\n',
    '- [a,# b\n  c]\n',
    '- [a\n',
    '- [a]]\n',
    '- a: [b,\n  c]\n',
    '- a: [[b\n  ]]\n',
    '- @a\n',
    '- a\nb: c\n',
    'a: b\n- c\n',
    ' - a\n',
    `- a: ${'['.repeat(30)}b${']'.repeat(30)}\n`,
    `${Array.from({ length: 30 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')}${' '.repeat(30)}b\n`,
  ])('is not %j', (text) => {
    expect(parseSimple(text)).toBeUndefined();
  });

  it('covers real rule files', () => {
    const text = readFileSync('fixtures/rules.yaml', 'utf8');
    expect(parseSimple(text)).toBeDefined();
    expect(parseSimple(text)).toEqual(parseAny(text));
  });

  it('returns the same nodes, or leaves the text to the library, after any insertion or deletion', () => {
    const random = numbers(13);
    const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
    const insertions = [
      '\n',
      ' ',
      '  ',
      '\n  ',
      '\n    ',
      '- ',
      ': ',
      ':',
      '#',
      ' #',
      ',',
      '[',
      ']',
      '{',
      '"',
      "'",
      '>',
      '|-',
    ];
    insertions.push(
      '\n# c\n',
      '\n- x\n',
      'a: b\n',
      '~',
      '\\',
      '\t',
      '&a ',
      '*a',
      '---\n',
      '? ',
      'null',
    );
    let read = 0;
    for (let round = 0; round < 4000; round++) {
      let [text] = pick(samples);
      for (let changes = 1 + random(3); changes > 0; changes--) {
        const at = random(text.length + 1);
        text =
          text.slice(0, at) + (random(3) > 0 ? pick(insertions) : '') + text.slice(at + random(3));
      }
      const made = parseSimple(text);
      if (made === undefined) continue;
      read++;
      expect(made, JSON.stringify(text)).toEqual(parseAny(text));
    }
    expect(read).toBeGreaterThan(500);
  });
});

/** Pseudo-random numbers below a bound, the same in every run. */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
