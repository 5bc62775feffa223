import { type Level, rankOf } from '../check/levels.js';
import { limitRemarks, plural, remarksOf } from '../check/remarks.js';
import type { RunReport } from '../check/report.js';
import { captureText, logLine } from '../check/text.js';
import { counted, grouped } from '../engine/summary-text.js';

/** Counts findings by level. */
export class FindingCount {
  #total = 0;
  #suppressed = 0;
  readonly #byLevel = new Map<string, number>();

  add({ level, suppression }: { level: string; suppression?: unknown }): void {
    if (suppression !== undefined) {
      this.#suppressed += 1;
      return;
    }
    this.#total += 1;
    this.#byLevel.set(level, (this.#byLevel.get(level) ?? 0) + 1);
  }

  text(): string {
    const parts = [...this.#byLevel]
      .sort(([one], [other]) => rankOf(one) - rankOf(other))
      .map(([level, count]) => `${grouped(count)} ${level}`);
    const found =
      this.#total === 0 ? 'no findings' : `${plural(this.#total, 'finding')}: ${parts.join(', ')}`;
    return this.#suppressed === 0 ? found : `${found}; ${grouped(this.#suppressed)} suppressed`;
  }

  /** Whether a finding is at least as severe as `level`. */
  reaches(level: Level): boolean {
    return [...this.#byLevel.keys()].some((found) => rankOf(found) <= rankOf(level));
  }
}

/** Why --strict makes the run fail; '' if it does not. */
export function strictText({ rules }: RunReport): string {
  const count = rules.filter(({ reason }) => reason !== undefined).length;
  return count === 0
    ? ''
    : `sfkit: --strict: ${plural(count, 'rule')} could not be evaluated, or not in full\n`;
}

/** Maximum remarks of each kind; --format json has all. */
const maxRemarks = 10;

/** A short summary: findings, outcomes of the rules, and what the run could not see. */
export function checkSummary(report: RunReport, findings: FindingCount): string {
  const { rules, captures, book } = report;
  const names = captures.map(({ capture }) => captureText(capture)).join(', ');
  const events = captures.reduce((sum, { summary }) => sum + summary.events, 0n);
  const matched = rules.filter(({ state }) => state === 'matched').length;
  const unevaluated = rules.filter(({ state }) => state === 'unevaluated').length;
  const off = book.rules.length - rules.length;
  const lines = [
    names,
    `  ${findings.text()}`,
    `  ${plural(rules.length, 'rule')} on ${counted(events, 'events')}: ${matched} matched, ${
      rules.length - matched - unevaluated
    } did not, ${unevaluated} could not be evaluated${off > 0 ? `; ${off} not selected` : ''}`,
    // Failed captures were already reported.
    ...limitRemarks(
      remarksOf(report).filter(({ kind }) => kind !== 'capture-failed'),
      maxRemarks,
    ).map(({ text }) => `  ${text}`),
  ];
  return lines.map((line) => `${logLine(line)}\n`).join('');
}
