import { SfkitError } from '../engine/errors.js';
import { type CheckReport, checkCapture, type RuleBook, type RunCheckOptions } from './check.js';
import type { ReportedFinding, RuleOutcome } from './finding.js';
import { FindingIds } from './fingerprint.js';
import type { SuppressionOutcome, Suppressions } from './suppressions.js';

/** Result of a whole run over all captures. */
export interface RunReport {
  book: RuleBook;
  captures: readonly CheckReport[];
  /** Captures that could not be checked, with the reason. */
  failed: readonly { capture: string; message: string }[];
  rules: readonly RuleOutcome[];
  suppressions: readonly SuppressionOutcome[];
}

/** Outcome of each rule over all captures: matched if it matched in any of them. */
export function acrossCaptures(reports: readonly CheckReport[]): RuleOutcome[] {
  const [first, ...others] = reports;
  if (first === undefined) return [];
  const outcomes = first.rules.map((outcome) => ({ ...outcome }));
  for (const { rules } of others) {
    for (const [index, other] of rules.entries()) {
      const outcome = outcomes[index];
      if (outcome !== undefined) outcomes[index] = mergeOutcomes(outcome, other);
    }
  }
  return outcomes;
}

function mergeOutcomes(one: RuleOutcome, other: RuleOutcome): RuleOutcome {
  const states = [one.state, other.state];
  const reason = one.reason ?? other.reason;
  return {
    rule: one.rule,
    state: states.includes('matched')
      ? 'matched'
      : states.includes('unevaluated')
        ? 'unevaluated'
        : 'unmatched',
    ...(reason === undefined ? {} : { reason }),
    matches: one.matches + other.matches,
    leftOut: one.leftOut + other.leftOut,
  };
}

/** Checks captures one after the other and passes each finding to `onFinding`. */
export async function checkCaptures(
  captures: readonly string[],
  options: RunCheckOptions & { rules: RuleBook; suppress: Suppressions },
  onFinding: (finding: ReportedFinding) => Promise<void>,
  onFailure: (error: SfkitError) => void,
): Promise<RunReport> {
  const reports: CheckReport[] = [];
  const failed: { capture: string; message: string }[] = [];
  const ids = new FindingIds();
  for (const capture of captures) {
    try {
      const run = checkCapture(capture, { ...options, ids });
      for await (const finding of run) await onFinding(finding);
      reports.push(run.report());
    } catch (error) {
      // Go on with the other captures.
      if (captures.length === 1 || !isInputError(error)) throw error;
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

function isInputError(error: unknown): error is SfkitError {
  return error instanceof SfkitError && error.code.startsWith('INPUT_');
}
