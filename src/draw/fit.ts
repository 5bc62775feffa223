import type { DrawnColumn } from './types.js';
import { shortened, textWidth } from './width.js';

/** A column with the measurements of its rows. */
export interface Measured {
  column: DrawnColumn;
  /** Index of its cells in a row. */
  index: number;
  /** Width of the widest cell. */
  widest: number;
  /** No row has text in it. */
  isEmpty: boolean;
  /** For a time column: the date that all rows share. */
  date: string | undefined;
}

export interface Fitted {
  /** A table, or one block of lines per row if a table is too wide. */
  shape: 'table' | 'records';
  columns: FittedColumn[];
  /** Columns left out because they are empty. */
  empty: DrawnColumn[];
  /** Columns left out because they do not fit. */
  leftOut: DrawnColumn[];
}

export interface FittedColumn extends Measured {
  width: number;
  /** Draw times without their date. */
  withoutDate: boolean;
}

/** Length of the date in a time, with the T after it. */
export const dateLength = '2026-01-01T'.length;
/** Characters that a time loses with its date: also the Z at the end. */
const dateAndZone = dateLength + 1;

/** Minimum widths of a shortened text, a wrapped text, and a part of a heading. */
const minCut = 12;
const minWrap = 20;
const minHeading = 10;

/** Finds the best shape for rows on a screen `room` columns wide. */
export function arrange(measured: readonly Measured[], room: number): Fitted {
  const whole = measured.map((one) => ({ ...one, width: naturalWidth(one), withoutDate: false }));
  if (totalWidth(whole) <= room) return { shape: 'table', columns: whole, empty: [], leftOut: [] };

  // If all columns are empty, they are shown as they are.
  const isAllEmpty = measured.every(({ isEmpty }) => isEmpty);
  const kept = isAllEmpty ? whole : whole.filter(({ isEmpty }) => !isEmpty);
  const empty = isAllEmpty
    ? []
    : measured.filter(({ isEmpty }) => isEmpty).map(({ column }) => column);
  if (totalWidth(kept) <= room) return { shape: 'table', columns: kept, empty, leftOut: [] };

  for (const withoutDate of [false, true]) {
    const columns = narrowed(kept, room, withoutDate);
    if (columns !== undefined) return { shape: 'table', columns, empty, leftOut: [] };
  }
  const byRank = kept
    .filter(({ column }) => rankOf(column) > 0)
    .sort((a, b) => rankOf(b.column) - rankOf(a.column));
  for (let count = 1; count <= byRank.length; count++) {
    const leftOut = new Set(byRank.slice(0, count));
    const columns = narrowed(
      kept.filter((one) => !leftOut.has(one)),
      room,
      true,
    );
    if (columns === undefined) continue;
    return {
      shape: 'table',
      columns,
      empty,
      leftOut: kept.filter((one) => leftOut.has(one)).map(({ column }) => column),
    };
  }
  return { shape: 'records', columns: kept, empty, leftOut: [] };
}

/** The width of a line: two blanks and a bar per column, and the first bar. */
function totalWidth(columns: readonly FittedColumn[]): number {
  return columns.reduce((sum, { width }) => sum + width + 3, 1);
}

const naturalWidth = ({ column, widest }: Measured): number =>
  Math.max(widest, textWidth(column.name));
const rankOf = ({ rank = 0 }: DrawnColumn): number => rank;

/** The columns narrowed to fit; undefined if they cannot be. */
function narrowed(
  columns: readonly FittedColumn[],
  room: number,
  mayDropDate: boolean,
): FittedColumn[] | undefined {
  const narrow = columns.map((one) => {
    const withoutDate = mayDropDate && one.date !== undefined;
    const widest = one.widest - (withoutDate ? dateAndZone : 0);
    return { ...one, widest, withoutDate, width: minWidth({ ...one, widest }) };
  });
  let spare = room - totalWidth(narrow);
  if (spare < 0) return undefined;
  spare = widen(narrow, spare, ({ widest }) => widest);
  widen(narrow, spare, naturalWidth);
  return narrow;
}

function minWidth({ column, widest }: Measured): number {
  const heading = Math.min(minHeading, Math.max(...headingParts(column.name).map(textWidth)));
  if (column.right || column.long === 'time') return Math.max(heading, widest);
  const least = column.least ?? (column.long === 'wrap' ? minWrap : minCut);
  return Math.max(heading, Math.min(widest, least));
}

/**
 * Distributes spare screen columns to columns that want more, narrowest first; returns the number
 * not used.
 */
function widen(
  columns: FittedColumn[],
  spare: number,
  wanted: (column: FittedColumn) => number,
): number {
  for (let left = spare; ; left--) {
    const wanting = columns.filter((column) => column.width < wanted(column));
    if (left === 0 || wanting.length === 0) return left;
    wanting.reduce((least, column) => (column.width < least.width ? column : least)).width += 1;
  }
}

const headingParts = (name: string): string[] => name.match(/[^_ ]*[_ ]?/g)?.slice(0, -1) ?? [name];

/** Maximum lines of a heading. */
const maxHeadingLines = 3;

/** Breaks a heading into lines of at most `width` columns, after _ and at blanks. */
export function headingOf(name: string, width: number): string[] {
  if (textWidth(name) <= width) return [name];
  const lines: string[] = [];
  for (const part of headingParts(name)) {
    const joined = `${lines.at(-1) ?? ''}${part}`;
    if (
      lines.length > 0 &&
      (textWidth(joined.trimEnd()) <= width || lines.length === maxHeadingLines)
    ) {
      lines[lines.length - 1] = joined;
    } else {
      lines.push(part);
    }
  }
  return lines.map((line) => shortened(line.trimEnd(), width));
}
