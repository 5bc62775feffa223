import { SfkitError } from '../engine/errors.js';
import { type CheckReport, checkCapture, type RuleBook, type RunCheckOptions } from './check.js';
import type { ReportedFinding, RuleOutcome } from './finding.js';
import { FindingIds } from './fingerprint.js';
import type { SuppressionOutcome, Suppressions } from './suppressions.js';

/** A whole run: what became of every rule in all captures. */
export interface RunReport {
  book: RuleBook;
  captures: readonly CheckReport[];
  /** Captures that could not be checked, and why. */
  failed: readonly { capture: string; message: string }[];
  rules: readonly RuleOutcome[];
  /** What became of every suppression. */
  suppressions: readonly SuppressionOutcome[];
}

/** What became of each rule in all captures: matched if it matched in one. */
export function acrossCaptures(reports: readonly CheckReport[]): RuleOutcome[] {
  const [first, ...others] = reports;
  if (first === undefined) return [];
  const outcomes = first.rules.map((outcome) => ({ ...outcome }));
  for (const { rules } of others) {
    for (const [index, other] of rules.entries()) {
      const outcome = outcomes[index];
      if (outcome !== undefined) outcomes[index] = together(outcome, other);
    }
  }
  return outcomes;
}

function together(one: RuleOutcome, other: RuleOutcome): RuleOutcome {
  const states = [one.state, other.state];
  const reason = one.reason ?? other.reason;
  return {
    rule: one.rule,
    state: states.includes('matched') ? 'matched' : states.includes('unevaluated') ? 'unevaluated' : 'unmatched',
    ...(reason === undefined ? {} : { reason }),
    matches: one.matches + other.matches,
    leftOut: one.leftOut + other.leftOut,
  };
}

/** Checks captures one after the other, and gives the findings to `take` as they come. */
export async function checkCaptures(
  captures: readonly string[],
  options: RunCheckOptions & { rules: RuleBook; suppress: Suppressions },
  take: (finding: ReportedFinding) => Promise<void>,
  onFailure: (error: SfkitError) => void,
): Promise<RunReport> {
  const reports: CheckReport[] = [];
  const failed: { capture: string; message: string }[] = [];
  const ids = new FindingIds();
  for (const capture of captures) {
    try {
      const run = checkCapture(capture, { ...options, ids });
      for await (const finding of run) await take(finding);
      reports.push(run.report());
    } catch (error) {
      // Of several captures the others are still worth having.
      if (captures.length === 1 || !isOfInput(error)) throw error;
      failed.push({ capture, message: error.message });
      onFailure(error);
    }
  }
  return {
    book: options.rules,
    captures: reports,
    failed,
    rules: acrossCaptures(reports),
    suppressions: options.suppress.outcomes(options.rules.rules),
  };
}

function isOfInput(error: unknown): error is SfkitError {
  return error instanceof SfkitError && error.code.startsWith('INPUT_');
}
