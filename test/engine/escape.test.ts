import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { escapeForTerminal, escapeJson } from '../../src/engine/escape.js';

it('escapes text that would control a terminal or reorder text, and leaves other text alone', () => {
  expect(escapeForTerminal('\u001b]0;x\u0007\n\u009b1m\u202e\u007f')).toBe(
    '\\x1b]0;x\\x07\\x0a\\x9b1m\\u202e\\x7f',
  );
  for (const text of [
    '/home/jürgen/日本 \\x1b',
    'e\u0301',
    'مرحبا',
    'हिन्दी',
    '🙂🇩🇪👍🏽',
    '＝ − ﹢',
    '한글 한글'.normalize('NFC'),
  ]) {
    expect(escapeForTerminal(text)).toBe(text);
  }
});

it.each([
  ['soft hyphen', '\u00ad', '\\xad'],
  ['zero-width joiner', '\u200d', '\\u200d'],
  ['variation selector', '\ufe0f', '\\ufe0f'],
  ['tag', '\u{e0041}', '\\U000e0041'],
  ['Hangul filler', '\u3164', '\\u3164'],
  ['half-width Hangul filler', '\uffa0', '\\uffa0'],
  ['Braille blank', '\u2800', '\\u2800'],
  ['interlinear annotation', '\ufff9', '\\ufff9'],
  ['line separator', '\u2028', '\\u2028'],
  ['no-break space', '\u00a0', '\\xa0'],
  ['ideographic space', '\u3000', '\\u3000'],
  ['C1 control', '\u0085', '\\x85'],
  ['musical format character', '\u{1d173}', '\\U0001d173'],
  ['noncharacter', '\ufdd0', '\\ufdd0'],
  ['unassigned', '\u0378', '\\u0378'],
  ['private use', '\u{100000}', '\\U00100000'],
  ['lone surrogate', '\udc00', '\\udc00'],
])('escapes a %s', (_name, character, shown) => {
  expect(escapeForTerminal(`a${character}b`)).toBe(`a${shown}b`);
  const json = escapeJson(JSON.stringify(character));
  expect(json).toMatch(/^"(\\u[0-9a-f]{4})+"$/);
  expect(JSON.parse(json)).toBe(character);
});

it('escapes everything that Unicode calls invisible, a control or unassigned', () => {
  const invisible =
    /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u;
  const left: string[] = [];
  for (let code = 0; code < 0x110000; code++) {
    const character = String.fromCodePoint(code);
    if (code !== 0x20 && invisible.test(character) && escapeForTerminal(character) === character) {
      left.push(code.toString(16));
    }
  }
  expect(left).toEqual([]);
});

// native/src/base/escape_test.cpp has the same digests.
it('writes every code point like the engine', () => {
  let terminal = '';
  let documents = '';
  for (let code = 0; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    terminal += escapeForTerminal(character);
    // JSON.stringify has shorter, equivalent escapes for some controls.
    if (code >= 0x20) documents += escapeJson(JSON.stringify(character));
  }
  const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');
  expect(sha1(terminal)).toBe('f9eeabc2920b4a4fdf71d884663db2676c8422ce');
  expect(sha1(documents)).toBe('6e8d6d842f9b93f12bfbf4826ae43eb6f388310e');
});

it('keeps a JSON document valid', () => {
  const value = { 'a\u2028': ['\n', { b: '\u{e0001}' }] };
  const json = escapeJson(JSON.stringify(value, null, 2));
  expect(JSON.parse(json)).toEqual(value);
  expect(json.split('\n')).toHaveLength(8);
});
