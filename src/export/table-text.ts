import { escapeForTerminal } from '../engine/escape.js';

export interface TableColumnStyle {
  name: string;
  /** Numbers stand to the right. */
  right: boolean;
}

export interface TableStyle {
  /** Longer cells are cut and end in an ellipsis. */
  maxCell: number;
  /** Cut from the left, as fits paths whose end tells more. */
  cutLeft?: boolean;
}

/**
 * Draws rows in chunks. The first chunk sets the widths; a later one widens a column only where it must, so
 * that nothing has to be known about rows to come.
 */
export class TableText {
  readonly #columns: readonly TableColumnStyle[];
  readonly #style: TableStyle;
  #widths: number[] | undefined;

  constructor(columns: readonly TableColumnStyle[], style: TableStyle) {
    this.#columns = columns;
    this.#style = style;
  }

  /** Lines for these rows, with the heading before the first ones. */
  rows(rows: readonly (readonly string[])[]): string {
    const cells = rows.map((row) => row.map((text) => cut(escapeForTerminal(text), this.#style)));
    const isFirst = this.#widths === undefined;
    const names = this.#columns.map((column) => escapeForTerminal(column.name));
    const before = this.#widths ?? names.map(displayWidth);
    const widths = before.map((width, index) =>
      cells.reduce((most, row) => Math.max(most, displayWidth(row[index] as string)), width),
    );
    this.#widths = widths;
    const lines = cells.map((row) => this.#line(row, widths));
    if (isFirst) lines.unshift(rule(widths, '┌┬┐'), this.#line(names, widths, true), rule(widths, '├┼┤'));
    return lines.map((line) => `${line}\n`).join('');
  }

  /** The closing line, after the last rows. */
  end(): string {
    const heading = this.#widths === undefined ? this.rows([]) : '';
    return `${heading}${rule(this.#widths as number[], '└┴┘')}\n`;
  }

  #line(cells: readonly string[], widths: readonly number[], isHeading = false): string {
    const padded = cells.map((cell, index) => {
      const blanks = ' '.repeat((widths[index] as number) - displayWidth(cell));
      return this.#columns[index]?.right && !isHeading ? blanks + cell : cell + blanks;
    });
    return `│ ${padded.join(' │ ')} │`;
  }
}

function rule(widths: readonly number[], [left, middle, right]: string): string {
  return left + widths.map((width) => '─'.repeat(width + 2)).join(middle) + right;
}

function cut(text: string, { maxCell, cutLeft }: TableStyle): string {
  if (displayWidth(text) <= maxCell) return text;
  const characters = [...text];
  let width = 1;
  let count = 0;
  const next = () => characters[cutLeft ? characters.length - 1 - count : count] as string;
  while (width + displayWidth(next()) <= maxCell) {
    width += displayWidth(next());
    count += 1;
  }
  return cutLeft
    ? `…${characters.slice(characters.length - count).join('')}`
    : `${characters.slice(0, count).join('')}…`;
}

const ascii = /^[\x00-\x7f]*$/;
const zeroWidth = /\p{Mark}/u;
const doubleWidth =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60\u3000-\u303f]/u;

/** Columns that a terminal gives the text. */
function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += zeroWidth.test(character) ? 0 : doubleWidth.test(character) ? 2 : 1;
  return width;
}
