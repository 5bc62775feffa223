import type { DrawnColumn } from './types.js';
import { shortened, textWidth } from './width.js';

/** A column and what its rows need. */
export interface Measured {
  column: DrawnColumn;
  /** Where its cells are in a row. */
  index: number;
  /** The widest cell. */
  widest: number;
  /** No row has a text in it. */
  isEmpty: boolean;
  /** The date that the times of all rows share, if it is a column of times. */
  date: string | undefined;
}

export interface Fitted {
  /** A table, or where that has no room a block of lines a row. */
  shape: 'table' | 'records';
  columns: FittedColumn[];
  /** Columns left out because they are empty, and for want of room. */
  empty: DrawnColumn[];
  leftOut: DrawnColumn[];
}

export interface FittedColumn extends Measured {
  width: number;
  /** Times are drawn without their date. */
  withoutDate: boolean;
}

/** Characters that a time loses with its date: that, the T after it, and the Z at the end. */
export const dateLength = '2026-01-01T'.length;
const dateAndZone = dateLength + 1;

/** The narrowest width of a shortened text, of a wrapped one, and of a part of a heading. */
const leastCut = 12;
const leastWrap = 20;
const leastHeading = 10;

/** Finds the best shape for rows on a screen `room` columns wide. */
export function arrange(measured: readonly Measured[], room: number): Fitted {
  const whole = measured.map((one) => ({ ...one, width: naturalWidth(one), withoutDate: false }));
  if (totalWidth(whole) <= room) return { shape: 'table', columns: whole, empty: [], leftOut: [] };

  // A row of nothing but empty columns is shown as it is.
  const isAllEmpty = measured.every(({ isEmpty }) => isEmpty);
  const kept = isAllEmpty ? whole : whole.filter(({ isEmpty }) => !isEmpty);
  const empty = isAllEmpty ? [] : measured.filter(({ isEmpty }) => isEmpty).map(({ column }) => column);
  if (totalWidth(kept) <= room) return { shape: 'table', columns: kept, empty, leftOut: [] };

  for (const withoutDate of [false, true]) {
    const columns = narrowed(kept, room, withoutDate);
    if (columns !== undefined) return { shape: 'table', columns, empty, leftOut: [] };
  }
  const byRank = kept.filter(({ column }) => rankOf(column) > 0).sort((a, b) => rankOf(b.column) - rankOf(a.column));
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

/** The width of a line: two blanks and a rule a column, and the first rule. */
function totalWidth(columns: readonly FittedColumn[]): number {
  return columns.reduce((sum, { width }) => sum + width + 3, 1);
}

const naturalWidth = ({ column, widest }: Measured): number => Math.max(widest, textWidth(column.name));
const rankOf = ({ rank = 0 }: DrawnColumn): number => rank;

/** The columns as narrow as they must be, undefined if that is not enough. */
function narrowed(columns: readonly FittedColumn[], room: number, mayDropDate: boolean): FittedColumn[] | undefined {
  const narrow = columns.map((one) => {
    const withoutDate = mayDropDate && one.date !== undefined;
    const widest = one.widest - (withoutDate ? dateAndZone : 0);
    return { ...one, widest, withoutDate, width: leastWidth({ ...one, widest }) };
  });
  let spare = room - totalWidth(narrow);
  if (spare < 0) return undefined;
  spare = widen(narrow, spare, ({ widest }) => widest);
  widen(narrow, spare, naturalWidth);
  return narrow;
}

function leastWidth({ column, widest }: Measured): number {
  const heading = Math.min(leastHeading, Math.max(...headingParts(column.name).map(textWidth)));
  if (column.right || column.long === 'time') return Math.max(heading, widest);
  const least = column.least ?? (column.long === 'wrap' ? leastWrap : leastCut);
  return Math.max(heading, Math.min(widest, least));
}

/** Gives spare columns to what wants more, always to the narrowest; returns those left. */
function widen(columns: FittedColumn[], spare: number, wanted: (column: FittedColumn) => number): number {
  for (let left = spare; ; left--) {
    const wanting = columns.filter((column) => column.width < wanted(column));
    if (left === 0 || wanting.length === 0) return left;
    wanting.reduce((least, column) => (column.width < least.width ? column : least)).width += 1;
  }
}

const headingParts = (name: string): string[] => name.match(/[^_ ]*[_ ]?/g)?.slice(0, -1) ?? [name];

/** A heading never takes more lines. */
const headingLines = 3;

/** A heading in lines of at most `width` columns, broken after _ and at blanks. */
export function headingOf(name: string, width: number): string[] {
  if (textWidth(name) <= width) return [name];
  const lines: string[] = [];
  for (const part of headingParts(name)) {
    const joined = `${lines.at(-1) ?? ''}${part}`;
    if (lines.length > 0 && (textWidth(joined.trimEnd()) <= width || lines.length === headingLines)) {
      lines[lines.length - 1] = joined;
    } else {
      lines.push(part);
    }
  }
  return lines.map((line) => shortened(line.trimEnd(), width));
}
