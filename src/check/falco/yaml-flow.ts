// In the engine's YAML, lines within brackets may have any indentation. The library follows the
// standard, which requires more indentation than that of the parent, so these lines get extra
// spaces.

export interface Indented {
  text: string;
  /** Positions, with the number of spaces inserted before each. */
  origins: { at: number; inserted: number }[];
}

/** The text with such lines indented; undefined if there are none. */
export function indentFlow(text: string): Indented | undefined {
  const scanner = new Scanner(text);
  const continued = scanner.continuedLines();
  if (continued.length === 0) return undefined;
  const blanks = ' '.repeat(scanner.deepest + 1);
  let made = '';
  let from = 0;
  const origins: Indented['origins'] = [];
  for (const [index, start] of continued.entries()) {
    made += text.slice(from, start) + blanks;
    from = start;
    origins.push({ at: made.length, inserted: blanks.length * (index + 1) });
  }
  return { text: made + text.slice(from), origins };
}

const blockHeader = /[|>][-+0-9]*[ \t]*(?:#[^\n]*)?$/;

/**
 * Finds the lines that start within brackets. A simple scan is enough for texts that the library
 * rejected.
 */
class Scanner {
  readonly #text: string;
  readonly #lines: number[] = [];
  /** The largest indentation of a line. */
  deepest = 0;

  constructor(text: string) {
    this.#text = text;
  }

  continuedLines(): number[] {
    let depth = 0;
    let quote = '';
    /** Lines indented more than this belong to a block scalar. */
    let block = -1;
    let start = 0;
    while (start < this.#text.length) {
      const newline = this.#text.indexOf('\n', start);
      const end = newline < 0 ? this.#text.length : newline;
      const line = this.#text.slice(start, end);
      const indent = line.length - line.trimStart().length;
      this.deepest = Math.max(this.deepest, indent);
      const isInBlock = block >= 0 && (line.trim() === '' || indent > block);
      if (!isInBlock) {
        block = -1;
        if (depth > 0) this.#lines.push(start);
        [depth, quote] = scanLine(line, depth, quote);
        if (depth === 0 && quote === '' && blockHeader.test(line)) block = indent;
      }
      start = end + 1;
    }
    return this.#lines;
  }
}

/** Number of open brackets after the line, and the quote that is still open. */
function scanLine(line: string, depthBefore: number, quoteBefore: string): [number, string] {
  let depth = depthBefore;
  let quote = quoteBefore;
  let isStart = true;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (quote !== '') {
      if (quote === '"' && character === '\\') at++;
      else if (character === quote && quote === "'" && line.charAt(at + 1) === "'") at++;
      else if (character === quote) quote = '';
      continue;
    }
    const isAfterBlank = at === 0 || /\s/.test(line.charAt(at - 1));
    if (character === '#' && isAfterBlank) break;
    if (/\s/.test(character)) continue;
    const isIndicator =
      (character === ':' || character === '-') && /^(\s|$)/.test(line.slice(at + 1, at + 2));
    if (isStart && (character === '"' || character === "'")) quote = character;
    else if ((isStart || depth > 0) && (character === '[' || character === '{')) depth++;
    else if (depth > 0 && (character === ']' || character === '}')) depth--;
    isStart = isIndicator || (depth > 0 && /[[{,]/.test(character));
  }
  return [depth, quote];
}
