import { type Level, rankOf } from '../check/levels.js';
import type { RunReport } from '../check/report.js';
import { escapeForTerminal } from '../engine/escape.js';
import { counted, damageLines, grouped, shortened } from './summary.js';

/** How many findings there were, and of which levels. */
export class FindingCount {
  #total = 0;
  readonly #byLevel = new Map<string, number>();

  add(level: string): void {
    this.#total += 1;
    this.#byLevel.set(level, (this.#byLevel.get(level) ?? 0) + 1);
  }

  text(): string {
    if (this.#total === 0) return 'no findings';
    const parts = [...this.#byLevel]
      .sort(([one], [other]) => rankOf(one) - rankOf(other))
      .map(([level, count]) => `${grouped(count)} ${level}`);
    return `${plural(this.#total, 'finding')}: ${parts.join(', ')}`;
  }

  /** Whether one is of a level with this rank or more severe. */
  reaches(level: Level): boolean {
    return [...this.#byLevel.keys()].some((found) => rankOf(found) <= rankOf(level));
  }
}

/** A few lines for a person: findings, what became of the rules, damage. */
export function checkSummary(report: RunReport, findings: FindingCount): string {
  const { rules, captures, book } = report;
  const names = captures.map(({ capture }) => capture).join(', ');
  const events = captures.reduce((sum, { summary }) => sum + summary.events, 0n);
  const leftOut = rules.reduce((sum, outcome) => sum + outcome.leftOut, 0);
  const matched = rules.filter(({ state }) => state === 'matched').length;
  const unevaluated = rules.filter(({ state }) => state === 'unevaluated');
  const off = book.rules.length - rules.length;
  const warnings = book.diagnostics.length;
  const lines = [
    names,
    `  ${findings.text()}`,
    `  ${plural(rules.length, 'rule')} on ${counted(events, 'events')}: ${matched} matched, ${
      rules.length - matched - unevaluated.length
    } did not, ${unevaluated.length} could not be evaluated${off > 0 ? `; ${off} did not take part` : ''}`,
    ...shortened(
      unevaluated.map(({ rule, reason }) => `${rule.name} (${rule.location.file}:${rule.location.line}): ${reason}`),
      'rules that could not be evaluated',
    ).map((line) => `  not evaluated: ${line}`),
  ];
  if (leftOut > 0) lines.push(`  left out: ${plural(leftOut, 'match', 'matches')} of findings after so many others`);
  if (warnings > 0) lines.push(`  rules: ${plural(warnings, 'warning')} (--validate lists them)`);
  lines.push(...book.notes.map((note) => `  note: ${note}`));
  for (const { capture, summary } of captures) {
    const before = captures.length === 1 ? '' : `${capture}: `;
    const damage = shortened(damageLines(summary), 'places of damage');
    lines.push(...damage.map((line) => `  damaged: ${before}${line}`));
  }
  return lines.map((line) => `${escapeForTerminal(line)}\n`).join('');
}

export function plural(count: number, thing: string, things = `${thing}s`): string {
  return `${grouped(count)} ${count === 1 ? thing : things}`;
}
