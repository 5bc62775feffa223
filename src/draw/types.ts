/** The text of a value as it was captured or computed; null where there is no value. */
export type Cell = string | null;

export interface DrawnColumn {
  name: string;
  /** Numbers stand to the right and are never shortened. */
  right?: boolean;
  /**
   * How a text too long for the screen is shortened. cut: it ends in …, or starts with it if it is a path; wrap: it
   * takes several lines; time: an ISO 8601 time loses its date where all rows share it. Default: cut.
   */
  long?: 'cut' | 'wrap' | 'time';
  /** The narrowest width at which the column is readable. */
  least?: number;
  /** Where the screen has no room, the columns of the highest rank are left out first. Default: 0, never left out. */
  rank?: number;
}

/** A terminal. */
export interface Screen {
  columns: number;
  /** Undefined where the terminal does not know. */
  rows: number | undefined;
  color: boolean;
}

export interface DrawOptions {
  /** Fit the rows to this terminal. Undefined for a file or pipe, where nothing is cut. */
  screen?: Screen | undefined;
  /** Draw no more rows than this. */
  limit?: number | undefined;
}

/** The rows after the last one drawn. */
export interface Remaining {
  count: number;
  /** False where counting was ended: there are more. */
  isExact: boolean;
}
