import type { Summary } from '../engine/session.js';
import type { Diagnostic, Finding, Rule, RuleOutcome } from './finding.js';
import type { CheckTables } from './sql/tables.js';

// Interface of a rule language. Each language has a folder next to this file and an entry in
// languages.ts.

/** Name and contents of a rule file. */
export interface RuleText {
  name: string;
  content: string;
}

export interface RuleLanguage {
  /** Name in options and findings. */
  name: string;
  /** Whether a text looks like rules of this language. */
  recognizes(content: string): boolean;
  /** Rules are usually kept in nested directories, so subdirectories are read too. */
  isNested?: boolean;
  /** Loads files in this order. Errors go to `diagnostics`. */
  load(files: readonly RuleText[], options?: LanguageOptions): RuleSet;
}

/** Options of individual languages. */
export interface LanguageOptions {
  /** File that maps more fields of Sigma rules to columns. */
  sigmaMapping?: string | undefined;
}

/** The rules of some files in one language. */
export interface RuleSet {
  language: string;
  /** An error is always last; such a rule set cannot run. */
  diagnostics: readonly Diagnostic[];
  /** In evaluation order. */
  rules: readonly Rule[];
  /** Features that the files require and sfkit does not have. */
  notes: readonly string[];
  run(input: string, options: RunOptions): RuleRun;
  /** Slow checks: returns diagnostics beyond `diagnostics`. */
  verify?(): Promise<Diagnostic[]>;
}

/** How captures are read. */
export interface ReadingOptions {
  /** Aborting it ends the run. */
  signal?: AbortSignal | undefined;
  /** Bytes that the engine may take. Default: no limit. */
  maxMemory?: number | undefined;
}

export interface RunOptions extends ReadingOptions {
  /** The rules to evaluate, in evaluation order. */
  rules: readonly Rule[];
  /** Evaluates the remaining rules too after one matches. */
  allMatching: boolean;
  /** Counts a repeated finding instead of reporting it again. */
  foldRepeats: boolean;
  /** The input as tables, opened once for all languages that use them. */
  tables: CheckTables;
}

/** Evaluation of the rules on one capture. */
export interface RuleRun extends AsyncIterable<Finding> {
  /** Available after the last finding. */
  outcomes(): RuleOutcome[];
  summary(): Summary;
}
