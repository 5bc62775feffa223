/** The text of a captured or computed value; null for a missing value. */
export type Cell = string | null;

export interface DrawnColumn {
  name: string;
  /** Align to the right and never shorten, as for numbers. */
  right?: boolean;
  /**
   * How to shorten a text that is too long for the screen. cut: it ends in …, and a path starts
   * with it; wrap: it takes several lines; time: an ISO 8601 time loses its date if all rows share
   * it. Default: cut.
   */
  long?: 'cut' | 'wrap' | 'time';
  /** Minimum readable width. */
  least?: number;
  /**
   * If the screen is too narrow, columns of the highest rank are left out first. Default: 0, never
   * left out.
   */
  rank?: number;
}

/** A terminal. */
export interface Screen {
  columns: number;
  /** Undefined if the terminal does not report it. */
  rows: number | undefined;
  color: boolean;
}

export interface DrawOptions {
  /** Terminal to fit the rows to. Undefined for a file or pipe, where nothing is cut. */
  screen?: Screen | undefined;
  /** Maximum rows to draw. */
  limit?: number | undefined;
  /** How to draw the rest, for the note below. Default: the flags of commands. */
  moreRows?: string | undefined;
  /** Draw each row as a block with one line per value, even if a table fits. */
  isRecords?: boolean | undefined;
}

/** The rows after the last one drawn. */
export interface Remaining {
  count: number;
  /** False if counting stopped early: there may be more. */
  isExact: boolean;
}
