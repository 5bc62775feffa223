import type { FieldValue, Rule } from '../finding.js';

// The interface between a language whose rules are conditions about records, and the tables that answer them.
// A language compiles each rule to a RowRule and returns `new RowRun(input, options, compile)` (row-run.ts) from
// RuleSet.run(); the run opens the input, asks all rules in few scans, and gives findings and outcomes.

/** A rule as a condition about the rows of all events and flows. */
export interface RowRule {
  rule: Rule;
  /**
   * SQL expression that is true for the rows to find; null counts as false. It may use the columns of `sysflow`
   * (docs/formats.md), those of `needs`, and no others. Texts of rules go in through textLiteral() (literals.ts).
   * Undefined where the rule has no SQL: then `reason` says why. By record type where it differs: a type without one is
   * not asked.
   */
  condition: string | Readonly<Partial<Record<RecordType, string>>> | undefined;
  /** Why the rule cannot find all that it is about in any input: without matches its outcome is unevaluated. */
  reason?: string | undefined;
  /** Record types the rule is about, to skip the other rows. Default: all. */
  types?: readonly RecordType[] | undefined;
  /** Of the values that the run's rules share (SharedRows) the ones that the condition uses. */
  values?: readonly string[] | undefined;
  /** What the condition uses beyond the plain columns. */
  needs?: readonly RowNeed[] | undefined;
  /** Columns of `sysflow` for `fields` of a finding, by the name to show; or what a row makes of them. */
  fields?: Readonly<Record<string, string>> | ((row: FoundRow) => Readonly<Record<string, FieldValue>>) | undefined;
  /** What a finding says. Findings with the same output are folded. Default: what the record is about, in short. */
  output?: ((row: FoundRow) => string) | undefined;
}

export type RecordType = 'PE' | 'FE' | 'NF' | 'FF' | 'PF' | 'KE';

/**
 * ancestors: adds the lists `proc_aname`, `proc_aexe`, `proc_acmdline` (texts) and `proc_apid` (integers): the process
 * itself, its parent and so on, as they were when the process was first seen; and `proc_parent`, a struct of `exe`,
 * `args`, `uid`, `user`, `gid`, `group`, `tty` and `entry` of the parent then.
 * containers: the condition asks for names or images of containers. Where the input does not describe all its
 * containers, the outcome of a rule without matches is unevaluated.
 * calls: adds `proc_argv` (a list of texts, argv[0] first) and `proc_loginuid` to rows of EXEC, as far as the input
 * knows them: captures do, SysFlow files and tables have arguments joined by blanks and no logins.
 * exact calls: the same; without that knowledge the outcome of a rule without matches is unevaluated.
 */
export type RowNeed = 'ancestors' | 'containers' | 'calls' | 'exact calls';

/** A row that was found, by column name; null where a value is missing. Integers of 64 bits are text. */
export type FoundRow = Readonly<Record<string, FieldValue>>;

/** What all rules of a run have in common. */
export interface SharedRows {
  /** Further columns by their names, quoted where needed; each is computed once for all conditions. */
  values?: Readonly<Record<string, SharedValue>> | undefined;
  /** Rows that are not asked about: those where it is true, or null, as then nobody knows. */
  drop?: Pick<RowRule, 'values'> & { condition: Readonly<Partial<Record<RecordType, string>>> };
}

export interface SharedValue {
  sql: string;
  /** Other values that its SQL uses. */
  from?: readonly string[];
  /**
   * Computed of every row, and rows count as alike where it is the same: for what few values come of, such as whether
   * a column with many is 0.
   */
  ofRow?: boolean;
}
