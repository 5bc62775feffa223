import type { DuckDbError } from '../../duckdb/sql-error.js';
import type { Token } from '../sql-tokens.js';

/** A table or view that SQL can name. */
export interface SqlTable {
  name: string;
  columns: readonly SqlColumn[];
}

export interface SqlColumn {
  name: string;
  /** DuckDB's name of the type. */
  type: string;
}

/** What is known about the tables that SQL was about. */
export interface Surroundings {
  tables: readonly SqlTable[];
  /** Times of the first and last event, as in 2026-03-02T10:00:00.5Z. */
  times?: { first: string; last: string } | undefined;
}

/** An error in SQL, prepared for the rules. */
export interface Problem {
  error: DuckDbError;
  sql: string;
  /** The tokens that are neither blanks nor comments. */
  tokens: readonly Token[];
  /** Index of the token at the error's place; -1 if the place is unknown. */
  at: number;
  /** All tables. */
  tables: readonly SqlTable[];
  /** The tables that the SQL names, each with the names it has there. */
  named: readonly NamedTable[];
  times: Surroundings['times'];
}

export interface NamedTable {
  table: SqlTable;
  /** In lower case: the name of the table and its aliases. */
  aliases: readonly string[];
}

/** What to report. */
export interface Advice {
  /** What is wrong, in one line. */
  message: string;
  /** What to write instead. */
  hint?: string | undefined;
  /** The token to mark, if not the one at the error's place. */
  at?: number;
}

/** Recognizes one kind of error; undefined for all others. */
export type Rule = (problem: Problem) => Advice | undefined;
