import type { RuleText } from '../language.js';
import type { Mark, ScalarNode } from './yaml.js';

// Conditions are composed from several texts: appended parts, exceptions, the items of lists. Each
// part keeps its origin, so that errors can point into the files.

export interface Origin {
  file: RuleText;
  node: ScalarNode;
}

interface Part {
  /** Start in the composed text. */
  at: number;
  /** Undefined for text that the loader generated. */
  origin: Origin | undefined;
  /** Start in the origin's text. */
  from: number;
}

export class Composed {
  #text = '';
  #parts: Part[] = [];

  static of(text: string, origin?: Origin): Composed {
    return new Composed().append(text, origin);
  }

  get text(): string {
    return this.#text;
  }

  append(text: string, origin?: Origin): this {
    this.#addPart(origin, 0);
    this.#text += text;
    return this;
  }

  appendAll(other: Composed): this {
    return this.appendSlice(other, 0, other.#text.length);
  }

  appendSlice(other: Composed, from: number, to: number): this {
    if (from >= to) return this;
    for (let index = other.#partAt(from); index < other.#parts.length; index++) {
      const part = other.#parts[index] as Part;
      if (part.at >= to) break;
      const start = Math.max(part.at, from);
      this.#parts.push({
        at: this.#text.length + start - from,
        origin: part.origin,
        from: part.from + start - part.at,
      });
    }
    this.#text += other.#text.slice(from, to);
    return this;
  }

  /** Keeps only the first characters. */
  truncate(length: number): void {
    this.#text = this.#text.slice(0, length);
    while ((this.#parts.at(-1)?.at ?? -1) >= length && this.#parts.length > 0) this.#parts.pop();
  }

  /**
   * Location of a character in the files; for generated text, the location of the text before it.
   */
  origin(at: number): { file: RuleText; mark: Mark } | undefined {
    for (let index = this.#partAt(at); index >= 0; index--) {
      const part = this.#parts[index];
      if (part?.origin === undefined) continue;
      const end = this.#parts[index + 1]?.at ?? this.#text.length;
      const within = Math.min(at, end) - part.at;
      return { file: part.origin.file, mark: markWithin(part.origin, part.from + within) };
    }
    return undefined;
  }

  #addPart(origin: Origin | undefined, from: number): void {
    const last = this.#parts.at(-1);
    if (last !== undefined && origin === undefined && last.origin === undefined) return;
    this.#parts.push({ at: this.#text.length, origin, from });
  }

  /** The last part that starts at or before a position; -1 if there is none. */
  #partAt(at: number): number {
    let low = -1;
    let high = this.#parts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#parts[middle] as Part).at <= at) low = middle;
      else high = middle - 1;
    }
    return Math.max(low, 0);
  }
}

/** Location in the file of a character of a scalar's text. */
function markWithin({ file, node }: Origin, at: number): Mark {
  const content = file.content.startsWith('\ufeff') ? file.content.slice(1) : file.content;
  const offset = sourceOffset(content, node, at);
  const lineStart = content.lastIndexOf('\n', offset - 1) + 1;
  let line = node.mark.line;
  for (
    let next = content.indexOf('\n', node.start);
    next >= 0 && next < offset;
    next = content.indexOf('\n', next + 1)
  )
    line++;
  return { offset, line, column: offset - lineStart };
}

/**
 * Walks through the text and its source in parallel. They differ in whitespace, which folding
 * changes, and in escapes.
 */
function sourceOffset(content: string, node: ScalarNode, at: number): number {
  let source = node.start;
  if (node.style === 'block') source = content.indexOf('\n', source) + 1;
  if (node.style === 'single' || node.style === 'double') source++;
  const isBlank = (character: string | undefined) =>
    character !== undefined && /\s/.test(character);
  for (let index = 0; index <= at && source < node.end; index++) {
    if (isBlank(node.text[index])) {
      if (index === at) break;
      // A run of whitespace in the text matches a run of whitespace in the file.
      while (index < at && isBlank(node.text[index + 1])) index++;
      while (source < node.end && isBlank(content[source])) source++;
      continue;
    }
    while (source < node.end && isBlank(content[source])) source++;
    if (index === at) break;
    if (node.style === 'double' && content[source] === '\\') source++;
    else if (node.style === 'single' && content.startsWith("''", source)) source++;
    source++;
  }
  return Math.min(source, node.end);
}
