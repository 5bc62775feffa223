import type { TableName } from '../../engine/columns.gen.js';
import type { Summary } from '../../engine/summary.js';

/**
 * What one reading of an input yields: every table of records, or one table that only captures
 * have.
 */
export type CachePart = 'records' | TableName;

/** A cached part of an input. */
export interface CacheEntry {
  /** The database file with its tables. */
  path: string;
  /** The engine's summary of the reading that made it. */
  summary: Summary;
}

/** Where the cache is, or why there is none. */
export type CachePlace =
  | { kind: 'usable'; path: string }
  /** Nothing to report: no home directory, or it cannot be written. */
  | { kind: 'unavailable'; reason: string }
  /** Others could change what is in it. */
  | { kind: 'unsafe'; reason: string };

/** One entry, for people. */
export interface CacheListing {
  /** Absolute path of the input when the entry was made. */
  input: string;
  part: CachePart;
  bytes: number;
  /** Milliseconds since 1970. */
  made: number;
  used: number;
}
