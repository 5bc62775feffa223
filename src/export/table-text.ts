import Table from 'cli-table3';
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
    const needed = widthsOf(this.#draw(cells));
    const before = this.#widths;
    this.#widths = before?.map((width, index) => Math.max(width, needed[index] as number)) ?? needed;
    const lines = this.#draw(cells, this.#widths);
    return text(lines.slice(before === undefined ? 0 : headingLines, -1));
  }

  /** The closing line, after the last rows. */
  end(): string {
    const heading = this.#widths === undefined ? this.rows([]) : '';
    return heading + text(this.#draw([], this.#widths).slice(-1));
  }

  /** A whole table: rule, heading, rule, rows, rule. */
  #draw(cells: readonly (readonly string[])[], colWidths: number[] = []): string[] {
    const table = new Table({
      // A blank row keeps the rule under the heading when there are no rows; it is taken out again.
      head: this.#columns.map((column) => ({
        content: escapeForTerminal(column.name),
        hAlign: 'left' as const,
      })) as never,
      colAligns: this.#columns.map((column) => (column.right ? 'right' : 'left')),
      colWidths,
      style: { head: [], border: [], compact: true },
    });
    for (const row of cells.length > 0 ? cells : [this.#columns.map(() => '')]) table.push([...row]);
    const lines = table.toString().split('\n');
    if (cells.length === 0) lines.splice(headingLines, 1);
    return lines;
  }
}

/** Rule, names, rule. */
const headingLines = 3;

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** The widths of the columns as the top rule shows them. */
const widthsOf = ([rule]: readonly string[]): number[] =>
  (rule as string)
    .slice(1, -1)
    .split('┬')
    .map((part) => part.length);

function cut(cell: string, { maxCell, cutLeft }: TableStyle): string {
  if (cell.length <= maxCell) return cell;
  const characters = [...cell];
  if (characters.length <= maxCell) return cell;
  return cutLeft
    ? `…${characters.slice(characters.length - maxCell + 1).join('')}`
    : `${characters.slice(0, maxCell - 1).join('')}…`;
}
