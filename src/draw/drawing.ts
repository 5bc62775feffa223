import { escapeForTerminal } from '../engine/escape.js';
import { arrange, dateLength, type FittedColumn, type Measured } from './fit.js';
import {
  type Paint,
  paintOf,
  type ScreenCell,
  screenRecords,
  screenTable,
  TableLines,
} from './lines.js';
import type { Cell, DrawnColumn, DrawOptions, Remaining, Screen } from './types.js';
import { textWidth, wrapped } from './width.js';

/**
 * Limits of a page: rows are drawn page by page, so that output starts before all rows are there.
 */
const pageRows = 1000;
const pageCharacters = 1 << 22;

/** In a file a wider cell widens only its own line: one long text must not pad every other row. */
const maxPadded = 256;

/** Maximum lines of a note below a drawing. */
const maxNoteLines = 3;

/** Shown on a terminal for a missing value. */
const missing = 'null';

/**
 * Draws rows as they arrive. For a file or pipe the first page sets the column widths, and later
 * pages widen them if needed. On a screen each page is a separate drawing, fitted to the width.
 */
export class Drawing {
  readonly #columns: readonly DrawnColumn[];
  readonly #screen: Screen | undefined;
  readonly #paint: Paint;
  readonly #limit: number;
  readonly #isRecords: boolean;
  readonly #moreRows: string;
  #rows: Row[] = [];
  #characters = 0;
  /** Number of rows in earlier pages. */
  #before = 0;
  /** For a file: column widths so far. */
  #widths: number[];
  #hasHead = false;

  constructor(
    columns: readonly DrawnColumn[],
    {
      screen,
      limit = Number.POSITIVE_INFINITY,
      isRecords = false,
      moreRows = flagsForMore,
    }: DrawOptions = {},
  ) {
    this.#columns = columns.map((column) => ({ ...column, name: escapeForTerminal(column.name) }));
    this.#screen = screen && { ...screen, columns: Math.max(screen.columns, minScreenColumns) };
    this.#paint = paintOf(screen?.color ?? false);
    this.#limit = limit;
    this.#isRecords = isRecords;
    this.#moreRows = moreRows;
    this.#widths = this.#columns.map(({ name }) => Math.min(textWidth(name), maxPadded));
  }

  /** Number of rows that can still be added. */
  get room(): number {
    return this.#limit - this.#before - this.#rows.length;
  }

  /** Adds a row; returns the text of a completed page, '' for most rows. */
  add(row: readonly Cell[]): string {
    const cells = row.map((cell) => (cell === null ? null : escapeForTerminal(cell)));
    const widths = cells.map((cell) => (cell === null ? 0 : textWidth(cell)));
    this.#rows.push({ cells, widths });
    for (const cell of cells) this.#characters += cell?.length ?? 0;
    return this.#rows.length >= pageRows || this.#characters >= pageCharacters ? this.#page() : '';
  }

  /** Returns the remaining text, with a note about rows that were not drawn. */
  end(more: Remaining = { count: 0, isExact: true }): string {
    const count = this.#before + this.#rows.length;
    const notes = this.#screen !== undefined && count === 0 && more.count === 0 ? ['no rows'] : [];
    if (more.count > 0 || !more.isExact) notes.push(moreText(more, this.#moreRows));
    const rows = this.#rows.length > 0 || !this.#hasHead ? this.#page() : '';
    const foot = this.#screen === undefined && !this.#isRecords ? this.#tableLines().foot() : '';
    return rows + foot + this.#notes(notes);
  }

  #page(): string {
    const rows = this.#rows;
    const text = this.#isRecords
      ? this.#records(rows)
      : this.#screen === undefined
        ? this.#filePage(rows)
        : this.#screenPage(rows, this.#screen);
    this.#before += rows.length;
    this.#rows = [];
    this.#characters = 0;
    this.#hasHead = true;
    return text;
  }

  #filePage(rows: readonly Row[]): string {
    for (const { widths } of rows) {
      widths.forEach((width, index) => {
        if (width > (this.#widths[index] as number))
          this.#widths[index] = Math.min(width, maxPadded);
      });
    }
    const lines = this.#tableLines();
    let text = this.#hasHead ? '' : lines.head(this.#columns.map(({ name }) => [name]));
    for (const { cells, widths } of rows) {
      text += lines.row(
        cells.map((cell) => cell ?? ''),
        widths,
      );
    }
    return text;
  }

  #records(rows: readonly Row[]): string {
    const columns = this.#columns.map((column, index) => fixed(measure(column, index, rows)));
    const shown = rows.map(({ cells }) =>
      columns.map((column) => screenCell(cells[column.index] ?? null, column)),
    );
    return screenRecords(columns, shown, this.#screen?.columns, this.#before, this.#paint);
  }

  #tableLines(): TableLines {
    return new TableLines(
      this.#columns.map(({ right }, index) => ({ width: this.#widths[index] as number, right })),
      this.#paint,
    );
  }

  #screenPage(rows: readonly Row[], { columns: room }: Screen): string {
    const measured = this.#columns.map((column, index) => measure(column, index, rows));
    const { shape, columns, empty, leftOut } = arrange(measured, room);
    const shown = rows.map(({ cells }) =>
      columns.map((column) => screenCell(cells[column.index] ?? null, column)),
    );
    const drawn =
      shape === 'table'
        ? screenTable(columns, shown, this.#paint)
        : screenRecords(columns, shown, room, this.#before, this.#paint);
    const notes = columns
      .filter(({ withoutDate }) => withoutDate)
      .map(({ column, date }) => `${column.name}: all on ${date} (UTC)`);
    if (leftOut.length > 0) notes.push(`no room for ${named(leftOut, 'column')}`);
    if (empty.length > 0)
      notes.push(named(empty, 'empty column left out', 'empty columns left out'));
    return drawn + this.#notes(notes);
  }

  #notes(notes: readonly string[]): string {
    return notes
      .flatMap((note) =>
        this.#screen === undefined ? [note] : wrapped(note, this.#screen.columns, maxNoteLines),
      )
      .map((note) => `${this.#paint.faint(note)}\n`)
      .join('');
  }
}

/** Draws a complete table of a few rows. */
export function drawn(
  columns: readonly DrawnColumn[],
  rows: Iterable<readonly Cell[]>,
  screen: Screen | undefined,
): string {
  const drawing = new Drawing(columns, { screen });
  let text = '';
  for (const row of rows) text += drawing.add(row);
  return text + drawing.end();
}

/** Narrower terminals are treated as this wide. */
const minScreenColumns = 20;

interface Row {
  cells: readonly Cell[];
  widths: readonly number[];
}

const fixed = (measured: Measured): FittedColumn => ({
  ...measured,
  width: measured.widest,
  withoutDate: false,
});

const hasDate = /^\d{4}-\d\d-\d\dT.*Z$/;

function measure(column: DrawnColumn, index: number, rows: readonly Row[]): Measured {
  let widest = 0;
  let isEmpty = rows.length > 0;
  let dates: string | undefined | null;
  for (const { cells, widths } of rows) {
    const cell = cells[index] ?? null;
    widest = Math.max(widest, cell === null ? missing.length : (widths[index] as number));
    if (cell === null) continue;
    isEmpty &&= cell === '';
    if (column.long === 'time') {
      const date = hasDate.test(cell) ? cell.slice(0, dateLength - 1) : null;
      dates = dates === undefined || dates === date ? date : null;
    }
  }
  return { column, index, widest, isEmpty, date: dates ?? undefined };
}

function screenCell(cell: Cell, { withoutDate }: FittedColumn): ScreenCell {
  if (cell === null) return { text: missing, isMissing: true };
  return { text: withoutDate ? cell.slice(dateLength, -1) : cell, isMissing: false };
}

const grouped = (count: number): string => count.toLocaleString('en-US');

function named(columns: readonly DrawnColumn[], one: string, many = `${one}s`): string {
  const names = columns.map(({ name }) => name).join(', ');
  return `${columns.length} ${columns.length === 1 ? one : many} (--format json has all): ${names}`;
}

const flagsForMore = '-n N draws N of them, --all draws all';

function moreText({ count, isExact }: Remaining, advice: string): string {
  const how = `(${advice})`;
  if (!isExact)
    return count === 0 ? `… more rows ${how}` : `… more than ${grouped(count)} more rows ${how}`;
  return `… ${grouped(count)} more row${count === 1 ? '' : 's'} ${how}`;
}
