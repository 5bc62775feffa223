import { describe, expect, it } from 'vitest';
import { Composed } from '../../../src/check/falco/composed.js';
import { parseYaml, type ScalarNode, type YamlNode } from '../../../src/check/falco/yaml.js';

function nodeOf(
  content: string,
  key: string,
): { file: { name: string; content: string }; node: ScalarNode } {
  const [root] = parseYaml(content) as [YamlNode];
  const node = root.kind === 'map' ? root.get(key) : undefined;
  if (node?.kind !== 'scalar') throw new Error(`no text ${key}`);
  return { file: { name: 'rules.yaml', content }, node };
}

/** Line and column, from 1, of each occurrence of a word in the value. */
function placesOf(content: string, word: string): string[] {
  const origin = nodeOf(content, 'a');
  const composed = Composed.of(origin.node.text, origin);
  const places: string[] = [];
  for (let at = composed.text.indexOf(word); at >= 0; at = composed.text.indexOf(word, at + 1)) {
    const found = composed.origin(at);
    places.push(`${(found?.mark.line ?? -1) + 1}:${(found?.mark.column ?? -1) + 1}`);
  }
  return places;
}

describe('the location in the file of a character of a value', () => {
  it.each([
    ['plain', 'b: 1\na: one two\n  three X four', ['3:9']],
    ['folded', 'a: >\n  one\n  X two\n\n  X\n', ['3:3', '5:3']],
    ['literal', 'a: |\n    one X\n      X\n', ['2:9', '3:7']],
    ['in double quotes', 'a: "one \\" X\n  two \\\\ X"', ['1:12', '2:10']],
    ['in single quotes', "a: 'it''s X\n   X'", ['1:11', '2:4']],
    ['with CRLF', 'a: >\r\n  one\r\n  X two\r\n', ['3:3']],
    ['after a byte order mark', '\ufeffa: one X', ['1:8']],
  ])('%s', (_, content, places) => {
    expect(placesOf(content, 'X')).toEqual(places);
  });

  it('generated text has the location of the end of the text before it', () => {
    const origin = nodeOf('a: one', 'a');
    const composed = Composed.of('(').append('one', origin).append(')');
    expect(composed.text).toBe('(one)');
    expect(composed.origin(0)).toBeUndefined();
    expect(composed.origin(4)?.mark).toMatchObject({ line: 0, column: 6 });
  });

  it('survives slicing and appending', () => {
    const first = nodeOf('a: one two', 'a');
    const second = nodeOf('# more\na: three', 'a');
    const whole = Composed.of('one two', first)
      .append(' and ')
      .appendAll(Composed.of('three', second));
    const slice = new Composed().appendSlice(whole, 4, 15);
    expect(slice.text).toBe('two and thr');
    expect(slice.origin(0)?.mark).toMatchObject({ line: 0, column: 7 });
    expect(slice.origin(8)?.mark).toMatchObject({ line: 1, column: 3 });
    slice.truncate(3);
    expect(slice.text).toBe('two');
    expect(slice.origin(2)?.mark).toMatchObject({ line: 0, column: 9 });
  });
});
