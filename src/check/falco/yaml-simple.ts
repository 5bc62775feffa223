import { type Lines, mapNode, nullWords, type ScalarNode, type YamlNode } from './yaml-nodes.js';

// Fast reader for the YAML that nearly all rule files use: block lists and mappings, lists in
// brackets, texts of every style. The library is ten times slower on such files; it reads all other
// files, including those with errors.

/** The same nodes as from the library; undefined for a text that only the library can read. */
export function parseSimpleYaml(text: string, lines: Lines): YamlNode[] | undefined {
  if (unusualCharacter.test(text)) return undefined;
  try {
    return [new SimpleReader(text, lines).read()];
  } catch (error) {
    if (error instanceof NotSimple) return undefined;
    throw error;
  }
}

class NotSimple extends Error {}

const unusualCharacter = /[\u0000-\u0009\u000b-\u001f\u007f\ufeff]/;

const key = /[A-Za-z_][-\w]{0,99}(?=:(?: |\n|$))/y;
const singleQuoted = /'(?:[^'\n]|'')*'/y;
const doubleQuoted = /"(?:[^"\\\n]|\\["\\nt])*"/y;
const blockHeader = /[|>]-?(?= *(?:\n|$)) */y;
/** A text in brackets, and the spaces after it. */
const untilFlowIndicator = /[^,[\]{}\n]*/y;

/** Characters that may start something other than an unquoted text. */
const indicators = '-?:,[]{}#&*!|>\'"%@`';

const escapes: Record<string, string> = { n: '\n', t: '\t' };

/** Nesting depth of blocks and brackets. */
const maxNested = 20;

class SimpleReader {
  readonly #text: string;
  readonly #lines: Lines;
  /** The first character of a line that is neither blank nor a comment. */
  #at = 0;
  /** Indentation of that line; -1 at the end. */
  #indent = 0;
  #depth = 0;
  #flowDepth = 0;

  constructor(text: string, lines: Lines) {
    this.#text = text;
    this.#lines = lines;
  }

  read(): YamlNode {
    this.#goToLine(0);
    if (this.#indent !== 0) throw new NotSimple();
    const root = this.#isItem(this.#at) ? this.#sequence(0) : this.#map(this.#at, 0);
    if (this.#at < this.#text.length) throw new NotSimple();
    return root;
  }

  #sequence(indent: number): YamlNode {
    this.#enter();
    const mark = this.#lines.markAt(this.#at);
    const items: YamlNode[] = [];
    while (this.#indent === indent && this.#isItem(this.#at)) {
      const start = this.#skipBlanks(this.#at + 1);
      const column = indent + start - this.#at;
      items.push(this.#keyEnd(start) > 0 ? this.#map(start, column) : this.#value(start, indent));
    }
    if (this.#indent > indent) throw new NotSimple();
    this.#depth--;
    return { kind: 'sequence', items, mark };
  }

  /** A mapping whose first key is at `start`, and all of whose keys are in this column. */
  #map(start: number, column: number): YamlNode {
    this.#enter();
    const pairs: { key: YamlNode; value: YamlNode }[] = [];
    let at = start;
    do {
      const end = this.#keyEnd(at);
      if (end < 0) throw new NotSimple();
      const name = this.#plainNode(this.#text.slice(at, end), at, end);
      pairs.push({ key: name, value: this.#valueOfKey(end + 1, column) });
      if (this.#indent > column) throw new NotSimple();
      at = this.#at;
    } while (this.#indent === column);
    this.#depth--;
    return mapNode(pairs, this.#lines.markAt(start));
  }

  #valueOfKey(afterColon: number, column: number): YamlNode {
    const start = this.#skipBlanks(afterColon);
    if (!this.#isLineEnd(start)) return this.#value(start, column);
    this.#endLine(afterColon);
    if (this.#indent < column) throw new NotSimple();
    if (this.#isItem(this.#at)) return this.#sequence(this.#indent);
    if (this.#indent === column || '|>'.includes(this.#text.charAt(this.#at)))
      throw new NotSimple();
    if (this.#keyEnd(this.#at) > 0) return this.#map(this.#at, this.#indent);
    return this.#value(this.#at, column);
  }

  /** A text or a list in brackets; its continuation lines are indented more than `indent`. */
  #value(start: number, indent: number): YamlNode {
    switch (this.#text.charAt(start)) {
      case "'":
      case '"': {
        const node = this.#quoted(start);
        this.#endLine(node.end);
        return node;
      }
      case '[': {
        const [node, end] = this.#flowSequence(start, indent);
        this.#endLine(end);
        return node;
      }
      case '|':
      case '>':
        return this.#block(start, indent);
      default:
        return this.#plain(start, indent);
    }
  }

  #plain(start: number, indent: number): YamlNode {
    this.#checkPlainStart(start);
    let [text, end, hasComment] = this.#plainLine(start);
    let next = this.#lineEnd(end) + 1;
    let blankLines = 0;
    while (!hasComment && next < this.#text.length) {
      const from = this.#skipBlanks(next);
      if (this.#text.charAt(from) === '\n') {
        blankLines++;
        next = from + 1;
        continue;
      }
      if (from - next <= indent || from >= this.#text.length || this.#text.charAt(from) === '#')
        break;
      let line: string;
      [line, end, hasComment] = this.#plainLine(from);
      text += (blankLines === 0 ? ' ' : '\n'.repeat(blankLines)) + line;
      blankLines = 0;
      next = this.#lineEnd(end) + 1;
    }
    this.#goToLine(this.#lineEnd(end) + 1);
    return this.#plainNode(text, start, end);
  }

  /** The part of an unquoted text on this line, where it ends, and whether a comment follows. */
  #plainLine(start: number): [text: string, end: number, hasComment: boolean] {
    const line = this.#text.slice(start, this.#lineEnd(start));
    const comment = line.indexOf(' #');
    const text = withoutLastBlanks(comment < 0 ? line : line.slice(0, comment));
    if (text.includes(': ') || text.endsWith(':')) throw new NotSimple();
    return [text, start + text.length, comment >= 0];
  }

  #block(start: number, indent: number): YamlNode {
    blockHeader.lastIndex = start;
    const header = blockHeader.exec(this.#text)?.[0];
    if (header === undefined) throw new NotSimple();
    let next = start + header.length + 1;
    let end = next;
    let column = -1;
    const content: string[] = [];
    while (next < this.#text.length) {
      const from = this.#skipBlanks(next);
      const lineEnd = this.#lineEnd(from);
      if (from === lineEnd) {
        // Blanks may be part of the text here.
        if (from > next && from - next > column) throw new NotSimple();
        content.push('');
      } else {
        if (column < 0) {
          if (from - next <= indent) throw new NotSimple();
          column = from - next;
        } else if (from - next < column) {
          break;
        }
        content.push(this.#text.slice(next + column, lineEnd));
        end = Math.min(lineEnd + 1, this.#text.length);
      }
      next = lineEnd + 1;
    }
    if (column < 0) throw new NotSimple();
    while (content.at(-1) === '') content.pop();
    const text = header.startsWith('|') ? content.join('\n') : folded(content);
    this.#goToLine(next);
    return this.#scalar(header.includes('-') ? text : `${text}\n`, start, end, 'block');
  }

  /** A list in brackets, and its end. */
  #flowSequence(start: number, indent: number): [node: YamlNode, end: number] {
    this.#enter();
    this.#flowDepth++;
    const items: YamlNode[] = [];
    let at = this.#skipInFlow(start + 1, indent);
    while (this.#text.charAt(at) !== ']') {
      const [item, end] = this.#flowItem(at, indent);
      items.push(item);
      // A comment, or the next line of an unquoted text, may follow only a comma.
      at = this.#skipInFlow(end, indent);
      const character = this.#text.charAt(at);
      if (character === ',') at = this.#skipInFlow(at + 1, indent);
      else if (character !== ']') throw new NotSimple();
    }
    this.#depth--;
    this.#flowDepth--;
    return [{ kind: 'sequence', items, mark: this.#lines.markAt(start) }, at + 1];
  }

  #flowItem(at: number, indent: number): [node: YamlNode, end: number] {
    const character = this.#text.charAt(at);
    if (character === '[') return this.#flowSequence(at, indent);
    if (character === "'" || character === '"') {
      const node = this.#quoted(at);
      return [node, node.end];
    }
    this.#checkPlainStart(at);
    untilFlowIndicator.lastIndex = at;
    const text = withoutLastBlanks(untilFlowIndicator.exec(this.#text)?.[0] ?? '');
    if (text.includes(': ') || text.endsWith(':') || text.includes(' #')) throw new NotSimple();
    return [this.#plainNode(text, at, at + text.length), at + text.length];
  }

  /** The next character in brackets that is neither blank nor in a comment. */
  #skipInFlow(from: number, indent: number): number {
    let at = this.#skipBlanks(from);
    while (at < this.#text.length) {
      const character = this.#text.charAt(at);
      if (character === '\n') {
        const start = at + 1;
        at = this.#skipBlanks(start);
        const first = this.#text.charAt(at);
        // The closing bracket may be as far left as the parent of the list.
        const minIndent = first === ']' && this.#flowDepth === 1 ? indent : indent + 1;
        if (first !== '\n' && at - start < minIndent) throw new NotSimple();
      } else if (character === '#' && ' \n'.includes(this.#text.charAt(at - 1))) {
        at = this.#lineEnd(at);
      } else {
        return at;
      }
    }
    throw new NotSimple();
  }

  #quoted(start: number): ScalarNode {
    const isDouble = this.#text.charAt(start) === '"';
    const pattern = isDouble ? doubleQuoted : singleQuoted;
    pattern.lastIndex = start;
    const source = pattern.exec(this.#text)?.[0];
    if (source === undefined) throw new NotSimple();
    const inner = source.slice(1, -1);
    const text = isDouble
      ? inner.replace(/\\(.)/g, (_, escaped: string) => escapes[escaped] ?? escaped)
      : inner.replaceAll("''", "'");
    return this.#scalar(text, start, start + source.length, isDouble ? 'double' : 'single');
  }

  #plainNode(text: string, start: number, end: number): YamlNode {
    if (nullWords.has(text)) return { kind: 'null', mark: this.#lines.markAt(start) };
    return this.#scalar(text, start, end, 'plain');
  }

  #scalar(text: string, start: number, end: number, style: ScalarNode['style']): ScalarNode {
    return { kind: 'scalar', text, mark: this.#lines.markAt(start), start, end, style };
  }

  #checkPlainStart(at: number): void {
    const character = this.#text.charAt(at);
    if (character === '' || character === '\n' || indicators.includes(character))
      throw new NotSimple();
  }

  #enter(): void {
    if (++this.#depth > maxNested) throw new NotSimple();
  }

  /** Whether an item of a block list starts here. */
  #isItem(at: number): boolean {
    return this.#text.charAt(at) === '-' && ' \n'.includes(this.#text.charAt(at + 1));
  }

  /** End of the key that starts here; -1 without a key. */
  #keyEnd(at: number): number {
    key.lastIndex = at;
    return key.test(this.#text) ? key.lastIndex : -1;
  }

  /** Whether only a comment follows the blanks before this place. */
  #isLineEnd(at: number): boolean {
    return at >= this.#text.length || '\n#'.includes(this.#text.charAt(at));
  }

  /** Skips the rest of a line, which may contain only blanks and then a comment. */
  #endLine(from: number): void {
    const at = this.#skipBlanks(from);
    if (!this.#isLineEnd(at) || (at === from && this.#text.charAt(at) === '#'))
      throw new NotSimple();
    this.#goToLine(this.#lineEnd(at) + 1);
  }

  /** Goes to the first line from here on that is neither blank nor a comment. */
  #goToLine(start: number): void {
    for (let line = start; line < this.#text.length; line = this.#lineEnd(line) + 1) {
      this.#at = this.#skipBlanks(line);
      this.#indent = this.#at - line;
      if (!this.#isLineEnd(this.#at)) return;
    }
    this.#at = this.#text.length;
    this.#indent = -1;
  }

  #skipBlanks(from: number): number {
    let at = from;
    while (this.#text.charCodeAt(at) === 0x20) at++;
    return at;
  }

  /** End of the line that contains this place. */
  #lineEnd(from: number): number {
    const end = this.#text.indexOf('\n', from);
    return end < 0 ? this.#text.length : end;
  }
}

/** The lines of a `>` text: joins the lines of a paragraph, keeps lines that are indented more. */
function folded(lines: readonly string[]): string {
  let text = '';
  let separator = '';
  let wasIndented = false;
  for (const line of lines) {
    if (line.startsWith(' ')) {
      if (separator === ' ') separator = '\n';
      else if (!wasIndented && separator === '\n') separator = '\n\n';
      text += separator + line;
      separator = '\n';
      wasIndented = true;
    } else if (line === '') {
      if (separator === ' ') separator = '\n';
      else text += '\n';
    } else {
      text += separator + line;
      separator = ' ';
      wasIndented = false;
    }
  }
  return text;
}

function withoutLastBlanks(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0x20) end--;
  return text.slice(0, end);
}
