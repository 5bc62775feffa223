import { eastAsianWidth } from 'get-east-asian-width';

const ascii = /^[\x20-\x7e]*$/;

/** How many columns of a terminal the text takes. It holds no control characters. */
export function textWidth(text: string): number {
  return ascii.test(text) ? text.length : lastPlace(text, Number.POSITIVE_INFINITY).width;
}

/** The text in at most `width` columns; a longer one ends in …, or starts with it if it is a path. */
export function shortened(text: string, width: number): string {
  return path.test(text) ? withoutStart(text, width) : withoutEnd(text, width);
}

/** The end of a path tells more than its start. */
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
 * The text in lines of at most `width` columns, two at least, broken at blanks unless that would leave half of a line
 * empty. If it takes more than `limit` lines, the last one ends in ….
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

/** Where the part of the text ends that fits into `most` columns, and how wide it is. Looks at no more than that. */
function lastPlace(text: string, most: number): { index: number; width: number } {
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
    if (meter.width > most) return { index: start, width: before };
    index += character.length;
  }
  return { index, width: meter.width };
}

/** Where the first character begins that has at least `least` columns before it. */
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

/** Adds up the columns that code points take, one after the other. */
class Meter {
  width = 0;
  /** Whether the last code point began a character, instead of joining the one before. */
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
/** Combining marks, invisible characters, and the vowels and finals of Hangul that join a syllable. */
const takesNoColumn = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff\ud7b0-\ud7ff]/u;
const softHyphen = 0xad;

/** By code point, the width and one more; 0 where it was not asked for yet. */
const knownWidths = new Uint8Array(0x110000);

function codeWidth(code: number): number {
  const known = knownWidths[code] as number;
  if (known !== 0) return known - 1;
  const isInvisible = code !== softHyphen && takesNoColumn.test(String.fromCodePoint(code));
  const width = isInvisible ? 0 : eastAsianWidth(code);
  knownWidths[code] = width + 1;
  return width;
}
