import type { Summary } from '../engine/session.js';
import type { Diagnostic, Finding, Rule, RuleOutcome } from './finding.js';
import type { CheckTables } from './sql/tables.js';

// What a language of rules gives to the rest: each has a folder beside this file and its place in languages.ts.

/** A rules file as it was read. */
export interface RuleText {
  name: string;
  content: string;
}

export interface RuleLanguage {
  /** As options and findings have it. */
  name: string;
  /** Whether a text looks like rules of this language. */
  recognizes(content: string): boolean;
  /** Its rules are kept in directories within directories, and all of them are read. */
  isNested?: boolean;
  /** Loads files in their order. What is wrong with them is in `diagnostics`. */
  load(files: readonly RuleText[], options?: LanguageOptions): RuleSet;
}

/** What single languages are given beside the files. */
export interface LanguageOptions {
  /** File that says which columns the fields of Sigma rules are, beside those that are known. */
  sigmaMapping?: string | undefined;
}

/** The rules of some files in one language. */
export interface RuleSet {
  language: string;
  /** An error is the last of them: then nothing can be run. */
  diagnostics: readonly Diagnostic[];
  /** In the order in which they are asked. */
  rules: readonly Rule[];
  /** What the files ask for that is not here. */
  notes: readonly string[];
  run(input: string, options: RunOptions): RuleRun;
  /** What is wrong with the rules beyond `diagnostics`, where that takes longer to find out. */
  verify?(): Promise<Diagnostic[]>;
}

export interface RunOptions {
  /** The rules that take part, in the order in which they are asked. */
  rules: readonly Rule[];
  /** Whether every rule is asked about what another one matched. */
  allMatching: boolean;
  /** Whether a finding that occurs again is only counted. */
  folds: boolean;
  /** The input as tables, opened once for all languages that ask them. */
  tables: CheckTables;
  /** Aborting it ends the run. */
  signal?: AbortSignal | undefined;
}

/** The rules asked about one capture. */
export interface RuleRun extends AsyncIterable<Finding> {
  /** After the last finding. */
  outcomes(): RuleOutcome[];
  summary(): Summary;
}
