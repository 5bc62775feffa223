import { type FittedColumn, headingOf } from './fit.js';
import { shortened, textWidth, wrapped } from './width.js';

/** Styles for parts of a drawing; plain without color. */
export interface Paint {
  strong(text: string): string;
  faint(text: string): string;
}

const plain: Paint = { strong: (text) => text, faint: (text) => text };
const colored: Paint = {
  strong: (text) => `\x1b[1m${text}\x1b[22m`,
  faint: (text) => `\x1b[2m${text}\x1b[22m`,
};

export const paintOf = (color: boolean): Paint => (color ? colored : plain);

export interface TableColumn {
  width: number;
  right?: boolean | undefined;
}

/**
 * Draws the lines of a table: rules, and rows of cells that are padded to the column width or
 * overflow it.
 */
export class TableLines {
  readonly #columns: readonly TableColumn[];
  readonly #paint: Paint;
  readonly #bars: readonly [string, string, string];

  constructor(columns: readonly TableColumn[], paint: Paint) {
    this.#columns = columns;
    this.#paint = paint;
    const bar = paint.faint('│');
    this.#bars = [`${bar} `, ` ${bar} `, ` ${bar}\n`];
  }

  /** Rule, headings, rule. Each heading has one or more lines. */
  head(headings: readonly (readonly string[])[], isRuled = true): string {
    const lines = Math.max(1, ...headings.map((heading) => heading.length));
    let text = this.#rule('┌', '┬', '┐');
    for (let line = 0; line < lines; line++) {
      // Headings are aligned at the bottom.
      const parts = headings.map((heading) => heading[line - lines + heading.length] ?? '');
      text += this.row(
        parts.map((part) => this.#paint.strong(part)),
        parts.map(textWidth),
        false,
      );
    }
    return isRuled ? text + this.#rule('├', '┼', '┤') : text;
  }

  /** One line. `widths` are the widths of the cells. */
  row(cells: readonly string[], widths: readonly number[], aligns = true): string {
    const [first, between, last] = this.#bars;
    let line = first;
    for (let index = 0; index < cells.length; index++) {
      const { width, right } = this.#columns[index] as TableColumn;
      const blanks = ' '.repeat(Math.max(0, width - (widths[index] as number)));
      if (index > 0) line += between;
      line += aligns && right ? blanks + cells[index] : cells[index] + blanks;
    }
    return line + last;
  }

  foot(): string {
    return this.#rule('└', '┴', '┘');
  }

  #rule(left: string, middle: string, right: string): string {
    const parts = this.#columns.map(({ width }) => '─'.repeat(width + 2));
    return `${this.#paint.faint(left + parts.join(middle) + right)}\n`;
  }
}

/** A cell on a screen. A missing value is drawn differently from a text. */
export interface ScreenCell {
  text: string;
  isMissing: boolean;
}

/** Draws a complete table; cells are shortened or wrapped to their column. */
export function screenTable(
  columns: readonly FittedColumn[],
  rows: Iterable<readonly ScreenCell[]>,
  paint: Paint,
): string {
  const lines = new TableLines(
    columns.map(({ width, column }) => ({ width, right: column.right })),
    paint,
  );
  let text = lines.head(columns.map(({ column, width }) => headingOf(column.name, width)));
  for (const row of rows) {
    const cells = row.map((cell, index) => {
      const { width, column } = columns[index] as FittedColumn;
      return column.long === 'wrap' ? wrapped(cell.text, width) : [shortened(cell.text, width)];
    });
    const height = cells.reduce((most, parts) => Math.max(most, parts.length), 1);
    for (let line = 0; line < height; line++) {
      const parts = cells.map((cell) => cell[line] ?? '');
      text += lines.row(
        parts.map((part, index) => (row[index]?.isMissing ? paint.faint(part) : part)),
        parts.map(textWidth),
      );
    }
  }
  return text + lines.foot();
}

/** Maximum lines of a value in a record. */
const maxValueLines = 5;

/** Width of the rule above a block that has no maximum width. */
const wideRule = 40;

/**
 * Draws rows as blocks `room` columns wide, with one or more lines per value. Numbers start after
 * `before`. Without `room` nothing is cut: each value is one line.
 */
export function screenRecords(
  columns: readonly FittedColumn[],
  rows: Iterable<readonly ScreenCell[]>,
  room: number | undefined,
  before: number,
  paint: Paint,
): string {
  const widest = columns.reduce((most, { column }) => Math.max(most, textWidth(column.name)), 0);
  const label = room === undefined ? widest : Math.min(widest, Math.floor(room / 3));
  const value = room === undefined ? wideRule : room - label - 3;
  const linesOf = (text: string) =>
    room === undefined ? [text] : wrapped(text, value, maxValueLines);
  const names = columns.map(({ column }) => {
    const name = shortened(column.name, label);
    return `${paint.strong(name)}${' '.repeat(label - textWidth(name))} ${paint.faint('│')} `;
  });
  const blank = `${' '.repeat(label)} ${paint.faint('│')} `;
  let text = '';
  let number = before;
  for (const row of rows) {
    number += 1;
    const title = `─[ ${number} ]`;
    const rule =
      title.length <= label + 1
        ? `${title.padEnd(label + 1, '─')}┬${'─'.repeat(value + 1)}`
        : title.padEnd(label + value + 3, '─');
    text += `${paint.faint(rule)}\n`;
    row.forEach((cell, index) => {
      linesOf(cell.text).forEach((part, line) => {
        text += `${line === 0 ? names[index] : blank}${cell.isMissing ? paint.faint(part) : part}\n`;
      });
    });
  }
  return text;
}
