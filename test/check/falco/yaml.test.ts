import { describe, expect, it } from 'vitest';
import { parseYaml, type YamlError, type YamlNode } from '../../../src/check/falco/yaml.js';

/** Nodes as plain values; null for a missing value. */
function plain(node: YamlNode | undefined): unknown {
  switch (node?.kind) {
    case 'scalar':
      return node.text;
    case 'sequence':
      return node.items.map(plain);
    case 'map':
      return Object.fromEntries(
        node.pairs.map(({ key }) => [plain(key), plain(node.get(String(plain(key))))]),
      );
    default:
      return null;
  }
}

const one = (text: string) => plain(parseYaml(text)[0]);

/** Line and column, from 1. */
function placeOf(text: string): string {
  try {
    parseYaml(text);
  } catch (error) {
    const { mark, message } = error as YamlError;
    return `${mark.line + 1}:${mark.column + 1}: ${message}`;
  }
  return 'no error';
}

describe('YAML', () => {
  it('scalars are text as written', () => {
    expect(one('a: yes\nb: 0x1f\nc: 1_000\nd: 1.50\ne: 2001-01-01\nf: 0o17\ng: "null"')).toEqual({
      a: 'yes',
      b: '0x1f',
      c: '1_000',
      d: '1.50',
      e: '2001-01-01',
      f: '0o17',
      g: 'null',
    });
  });

  it.each(['', '~', 'null', 'Null', 'NULL'])('a plain %j is null', (word) => {
    expect(one(`a: ${word}\nb: x`)).toEqual({ a: null, b: 'x' });
  });

  it('the first of duplicate keys counts', () => {
    expect(one('a: 1\na: 2\nb: 3')).toEqual({ a: '1', b: '3' });
  });

  it('merge keys have no meaning', () => {
    expect(one('- &base {a: 1}\n- <<: *base\n  b: 2')).toEqual([
      { a: '1' },
      { '<<': { a: '1' }, b: '2' },
    ]);
  });

  it('returns several documents, except empty ones', () => {
    expect(parseYaml('---\na: 1\n---\n---\n- b\n...\n# end\n').map(plain)).toEqual([
      { a: '1' },
      ['b'],
    ]);
    expect(parseYaml('')).toEqual([]);
    expect(parseYaml('# nothing but this\n')).toEqual([]);
  });

  it('accepts a byte order mark and CRLF', () => {
    expect(one('\ufeff- a: |\r\n    x\r\n    y\r\n- b\r\n')).toEqual([{ a: 'x\ny\n' }, 'b']);
  });

  it('accepts lines within brackets with too little indentation', () => {
    expect(one('items: [a,\nb, "c\nd",\n]\nother: x')).toEqual({
      items: ['a', 'b', 'c d'],
      other: 'x',
    });
  });

  it('returns locations in the original text, even if it had to be indented', () => {
    const [list] = parseYaml('items: [a,\nb,\n  c]\n');
    const items = list?.kind === 'map' ? list.get('items') : undefined;
    const marks =
      items?.kind === 'sequence' ? items.items.map(({ mark }) => [mark.line, mark.column]) : [];
    expect(marks).toEqual([
      [0, 8],
      [1, 0],
      [2, 2],
    ]);
  });

  it.each([
    ['a: b\n\tc: d', '2:1: '],
    ['a: b: c', '1:4: '],
    ['a: [1, 2', '1:9: '],
    ['a: *none', "1:4: no anchor is named 'none' before this alias"],
    ['a: "x', '1:'],
  ])('reports the location of the error in %j', (text, place) => {
    expect(placeOf(text)).toContain(place);
  });

  it.each<[string, (depth: number) => string]>([
    ['lists in brackets', (depth) => '['.repeat(depth) + ']'.repeat(depth)],
    ['mappings in brackets', (depth) => `${'{a: '.repeat(depth)}x${'}'.repeat(depth)}`],
    ['lists in blocks', (depth) => `${'- '.repeat(depth)}x`],
    ['keys of keys', (depth) => `${'? '.repeat(depth)}x`],
    [
      'mappings in blocks',
      (depth) =>
        `${Array.from({ length: depth }, (_, at) => `${' '.repeat(at)}a:\n`).join('')}${' '.repeat(depth)}x`,
    ],
  ])('nests %s as deep as the engine does', (_, nested) => {
    expect(placeOf(nested(490))).toBe('no error');
    expect(placeOf(nested(510))).toBe('1:1: the nesting is too deep');
  });

  it('rejects nesting that would exhaust the stack', () => {
    expect(placeOf(`${'['.repeat(100_000)}`)).toContain(':');
    expect(placeOf(`${'- '.repeat(100_000)}x`)).toContain('the nesting is too deep');
  });

  it('takes time and memory linear in the text', () => {
    const lines = Array.from({ length: 5000 }, (_, index) => `- {a: [${index},\nx]}`).join('\n');
    expect(parseYaml(lines)[0]).toMatchObject({ kind: 'sequence' });
    const aliases = `- &a [x]\n${Array.from({ length: 40 }, (_, index) => `- &a${index} [*a${index === 0 ? '' : index - 1}, *a${index === 0 ? '' : index - 1}]`).join('\n')}`;
    expect(parseYaml(aliases)).toHaveLength(1);
  });
});
