import { tokensOf } from '../sql-tokens.js';

/**
 * Collects lines to statements. A semicolon ends a statement, unless it is in a string, a name or a
 * comment.
 */
export class StatementReader {
  #text = '';
  /** Start of the first token that more text can continue. */
  #next = 0;
  /** Whether the statement has anything but blanks and comments. */
  #hasContent = false;

  /** The text of the incomplete statement; '' if there is none. */
  get pending(): string {
    return this.#hasContent ? this.#text : '';
  }

  /** Adds a line; returns the statements that it completes, without their semicolons. */
  add(line: string): string[] {
    const complete: string[] = [];
    this.#text += `${line}\n`;
    let start = 0;
    let next = this.#text.length;
    for (const { kind, text, start: at, isOpen } of tokensOf(this.#text, this.#next)) {
      if (kind === 'symbol' && text === ';') {
        if (this.#hasContent) complete.push(this.#text.slice(start, at).trim());
        start = at + 1;
        this.#hasContent = false;
      } else if (isOpen) {
        this.#hasContent = true;
        next = at;
      } else if (kind !== 'blank' && kind !== 'comment') {
        this.#hasContent = true;
      }
    }
    if (this.#hasContent) {
      this.#text = this.#text.slice(start);
      this.#next = next - start;
    } else {
      this.clear();
    }
    return complete;
  }

  /** Drops the incomplete statement. */
  clear(): void {
    this.#text = '';
    this.#next = 0;
    this.#hasContent = false;
  }

  /** Takes the incomplete statement as if a semicolon followed. */
  finish(): string[] {
    const text = this.pending.trim();
    this.clear();
    return text === '' ? [] : [text];
  }
}
