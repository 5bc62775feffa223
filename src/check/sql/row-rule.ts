import type { FieldValue, Rule } from '../finding.js';

// Interface for languages whose rules are conditions on records. A language compiles each rule to a
// RowRule and returns `new RowRun(input, options, compile)` (row-run.ts) from RuleSet.run(). The
// run opens the input, evaluates all rules in few scans, and produces findings and outcomes.

/** A rule as a condition on the rows of all events and flows. */
export interface RowRule {
  rule: Rule;
  /**
   * SQL expression that is true for matching rows; null counts as false. It may use only the
   * columns of `sysflow` (docs/formats.md) and those of `needs`. Texts of rules must be quoted by
   * textLiteral() (literals.ts). An object has a condition per record type and skips other types.
   * Undefined if the rule has no SQL; `reason` then says why.
   */
  condition: string | Readonly<Partial<Record<RecordType, string>>> | undefined;
  /**
   * Why the rule cannot see everything it looks for in any input. Without matches, its outcome is
   * unevaluated.
   */
  reason?: string | undefined;
  /** Record types of the rule; other rows are skipped. Default: all. */
  types?: readonly RecordType[] | undefined;
  /** Names of the shared values (SharedRows) that the condition uses. */
  values?: readonly string[] | undefined;
  /** Data that the condition uses beyond the plain columns. */
  needs?: readonly RowNeed[] | undefined;
  /**
   * Columns of `sysflow` for the `fields` of a finding, by displayed name; or a function that
   * computes them.
   */
  fields?:
    | Readonly<Record<string, string>>
    | ((row: FoundRow) => Readonly<Record<string, FieldValue>>)
    | undefined;
  /**
   * Output text of a finding. Findings with the same output are folded. Default: a short
   * description of the record.
   */
  output?: ((row: FoundRow) => string) | undefined;
}

export type RecordType = 'PE' | 'FE' | 'NE' | 'NF' | 'FF' | 'PF' | 'KE';

/**
 * - ancestors: adds the lists `proc_aname`, `proc_aexe`, `proc_acmdline` (texts) and `proc_apid`
 *   (integers). They start with the process itself, then its parent and so on, as they were when
 *   the process was first seen. Also adds `proc_parent`, a struct of `exe`, `args`, `uid`, `user`,
 *   `gid`, `group`, `tty` and `entry` of the parent. - containers: the condition uses names or
 *   images of containers. If the input does not describe all its containers, a rule without matches
 *   is unevaluated. - calls: adds `proc_argv` (a list of texts, argv[0] first) and `proc_loginuid`
 *   to EXEC rows if the input is a capture. SysFlow files and tables have only arguments joined by
 *   spaces, and no logins.
 * - exact calls: like calls, but without this data a rule without matches is unevaluated.
 */
export type RowNeed = 'ancestors' | 'containers' | 'calls' | 'exact calls';

/** A matching row by column name; null if a value is missing. 64-bit integers are text. */
export type FoundRow = Readonly<Record<string, FieldValue>>;

/** Values and filters that all rules of a run share. */
export interface SharedRows {
  /** Additional columns by name (quoted if necessary). Each is computed once for all conditions. */
  values?: Readonly<Record<string, SharedValue>> | undefined;
  /** Skips rows for which this is true, or null (unknown). */
  drop?: Pick<RowRule, 'values'> & { condition: Readonly<Partial<Record<RecordType, string>>> };
}

export interface SharedValue {
  sql: string;
  /** Names of other shared values that the SQL uses. */
  from?: readonly string[];
  /**
   * Compute the value from each row, and deduplicate rows by this value instead of by its columns.
   * Use it for values that have few results, such as whether a column with many values is 0.
   */
  ofRow?: boolean;
}
