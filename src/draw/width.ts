import { eastAsianWidth } from 'get-east-asian-width';

const ascii = /^[\x20-\x7e]*$/;

/**
 * The number of terminal columns that the text takes. The text must not contain control characters.
 */
export function textWidth(text: string): number {
  return ascii.test(text) ? text.length : lastPlace(text, Number.POSITIVE_INFINITY).width;
}

/** Shortens the text to `width` columns: it ends in …, and a path starts with it. */
export function shortened(text: string, width: number): string {
  return path.test(text) ? withoutStart(text, width) : withoutEnd(text, width);
}

/** The end of a path is more informative than its start. */
const path = /^\/\S*$/;

function withoutEnd(text: string, width: number): string {
  const whole = lastPlace(text, width);
  return whole.index === text.length ? text : `${text.slice(0, lastPlace(text, width - 1).index)}…`;
}

function withoutStart(text: string, width: number): string {
  const whole = textWidth(text);
  return whole <= width ? text : `…${text.slice(firstPlace(text, whole - width + 1))}`;
}

/**
 * Breaks the text into lines of at most `width` columns (`width` is at least 2), at blanks unless
 * that would leave half of a line empty. If it takes more than `limit` lines, the last one ends in
 * ….
 */
export function wrapped(text: string, width: number, limit = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = [];
  let rest = text;
  for (;;) {
    const { index } = lastPlace(rest, width);
    if (index === rest.length) return [...lines, rest];
    if (lines.length + 1 === limit) return [...lines, withoutEnd(rest, width)];
    const blank = rest.lastIndexOf(' ', index);
    const isNear = blank > index / 2;
    lines.push(rest.slice(0, isNear ? blank : index));
    rest = rest.slice(isNear ? blank + 1 : index);
  }
}

/** End and width of the prefix that fits into `maxWidth` columns. Reads no further than that. */
function lastPlace(text: string, maxWidth: number): { index: number; width: number } {
  const meter = new Meter();
  let start = 0;
  let before = 0;
  let index = 0;
  for (const character of text) {
    const width = meter.width;
    meter.add(character.codePointAt(0) as number);
    if (meter.starts) {
      start = index;
      before = width;
    }
    if (meter.width > maxWidth) return { index: start, width: before };
    index += character.length;
  }
  return { index, width: meter.width };
}

/** Index of the first character with at least `least` columns before it. */
function firstPlace(text: string, least: number): number {
  const meter = new Meter();
  let index = 0;
  for (const character of text) {
    const width = meter.width;
    meter.add(character.codePointAt(0) as number);
    if (meter.starts && width >= least) return index;
    index += character.length;
  }
  return index;
}

/** Sums the columns that successive code points take. */
class Meter {
  width = 0;
  /** Whether the last code point starts a character rather than joining the previous one. */
  starts = false;
  #last = 0;
  #isJoined = false;

  add(code: number): void {
    const own = codeWidth(code);
    const joins =
      own === 0 ||
      (this.#isJoined && pictograph.test(String.fromCodePoint(code))) ||
      (this.#last === 2 && code >= firstSkinTone && code <= lastSkinTone);
    this.starts = !joins;
    this.#isJoined = code === joiner;
    if (!joins) {
      this.width += own;
      this.#last = own;
    } else if (code === emojiStyle && this.#last === 1) {
      this.width += 1;
      this.#last = 2;
    }
  }
}

const joiner = 0x200d;
const emojiStyle = 0xfe0f;
const firstSkinTone = 0x1f3fb;
const lastSkinTone = 0x1f3ff;
const pictograph = /\p{Extended_Pictographic}/u;
/** Combining marks, invisible characters, and Hangul vowels and finals that join a syllable. */
const takesNoColumn = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff\ud7b0-\ud7ff]/u;
const softHyphen = 0xad;

/** By code point: width plus 1, or 0 if not computed yet. */
const knownWidths = new Uint8Array(0x110000);

function codeWidth(code: number): number {
  const known = knownWidths[code] as number;
  if (known !== 0) return known - 1;
  const isInvisible = code !== softHyphen && takesNoColumn.test(String.fromCodePoint(code));
  const width = isInvisible ? 0 : eastAsianWidth(code);
  knownWidths[code] = width + 1;
  return width;
}
