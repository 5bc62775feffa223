import { describe, expect, it } from 'vitest';
import { shortened, textWidth, wrapped } from '../../src/draw/width.js';

describe('the width of text on a terminal', () => {
  it.each([
    ['plain', 5],
    ['', 0],
    ['naïve', 5],
    ['漢字', 4],
    ['한글', 4],
    ['ｱｲｳ', 3],
    ['ＡＢ', 4],
    ['e\u0301', 1],
    ['\u1112\u1161\u11ab', 2],
    ['ก็', 1],
    ['😀', 2],
    ['👍🏽', 2],
    ['👨\u200d👩\u200d👧', 2],
    ['🇩🇪', 2],
    ['❤\ufe0f', 2],
    ['a\u00adb', 3],
    ['①', 1],
    ['\ud800', 1],
  ])('%j: %i', (text, width) => expect(textWidth(text)).toBe(width));
});

describe('shortened text', () => {
  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['漢字漢字', 7, '漢字漢…'],
    ['漢字漢字', 6, '漢字…'],
    ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
    ['/usr/lib/libc.so', 9, '…/libc.so'],
    ['/日本語/パス', 8, '…語/パス'],
    ['/a path? no', 6, '/a pa…'],
  ])('%j in %i columns: %j', (text, width, expected) => {
    expect(shortened(text, width)).toBe(expected);
    expect(textWidth(shortened(text, width))).toBeLessThanOrEqual(width);
  });
});

describe('wrapped text', () => {
  it('is broken at blanks', () => {
    expect(wrapped('one two three four', 9)).toEqual(['one two', 'three', 'four']);
    expect(wrapped('exactly nine', 7)).toEqual(['exactly', 'nine']);
  });

  it('is broken inside a word that would leave half a line empty', () => {
    expect(wrapped('a bcdefghijkl', 8)).toEqual(['a bcdefg', 'hijkl']);
    expect(wrapped('漢字漢字', 5)).toEqual(['漢字', '漢字']);
  });

  it('ends in … after the last line allowed', () => {
    expect(wrapped('abcdefghij', 3, 2)).toEqual(['abc', 'de…']);
    expect(wrapped('abcdef', 3, 2)).toEqual(['abc', 'def']);
  });

  it('keeps the complete text, whatever its length', () => {
    expect(wrapped('x'.repeat(100_000), 7).join('')).toBe('x'.repeat(100_000));
  });
});
