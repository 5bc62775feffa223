import { counted, damageLines, grouped, noteLines, skippedLines } from '../engine/summary-text.js';
import { damagedReason, forgottenReason } from './finding.js';
import type { RunReport } from './report.js';
import { captureText, placeText } from './text.js';

// Remarks: everything a run reports in addition to findings, mainly that it saw less than
// requested. Every output format must include them.

export const remarkKinds = {
  'capture-failed': 'A capture could not be read.',
  'rule-not-evaluated': 'A rule could not see everything it looks for.',
  'capture-damaged': 'Part of a capture is damaged; rules saw the rest.',
  'capture-incomplete': 'A capture is incomplete, or sfkit interpreted it differently.',
  'findings-left-out': 'Findings are counted but not listed.',
  'suppression-expired': 'A suppression has expired.',
  'suppression-unused': 'A suppression matches no finding.',
  'rules-unclear': 'A rule file has warnings, or requires features that sfkit does not have.',
} as const;

export type RemarkKind = keyof typeof remarkKinds;

export interface Remark {
  kind: RemarkKind;
  level: 'error' | 'warning' | 'note';
  text: string;
}

/** Reasons that all rules without matches share, so that one remark counts those rules. */
const reasonsOfLoss: readonly string[] = [damagedReason, forgottenReason];

/** Most important first. Texts are not escaped. */
export function remarksOf({ book, captures, failed, rules, suppressions }: RunReport): Remark[] {
  const remarks: Remark[] = [];
  const add = (kind: RemarkKind, level: Remark['level'], text: string) =>
    remarks.push({ kind, level, text });
  for (const { message } of failed) add('capture-failed', 'error', message);
  for (const { rule, state, reason } of rules) {
    if (reason === undefined || reasonsOfLoss.includes(reason)) continue;
    const how = state === 'matched' ? 'evaluated in part' : 'not evaluated';
    add(
      'rule-not-evaluated',
      'warning',
      `${how}: ${rule.name} (${placeText(rule.location)}): ${reason}`,
    );
  }
  for (const loss of reasonsOfLoss) {
    const count = rules.filter(({ reason }) => reason === loss).length;
    if (count > 0)
      add(
        'rule-not-evaluated',
        'warning',
        `not evaluated: ${plural(count, 'rule')} without matches: ${loss}`,
      );
  }
  for (const { capture, summary } of captures) {
    for (const line of damageLines(summary))
      add('capture-damaged', 'warning', `damaged: ${captureText(capture)}: ${line}`);
    for (const line of [...skippedLines(summary), ...noteLines(summary)])
      add('capture-incomplete', 'warning', `${captureText(capture)}: ${line}`);
  }
  for (const { rule, leftOut } of rules) {
    if (leftOut > 0)
      add(
        'findings-left-out',
        'warning',
        `left out: ${plural(leftOut, 'match', 'matches')} of ${rule.name} after too many others`,
      );
  }
  for (const { state, rule, expires, findings, namesRule, location } of suppressions) {
    const place = `${placeText(location)}: the suppression of ${rule}`;
    if (state === 'expired')
      add(
        'suppression-expired',
        'warning',
        `expired: ${place} expired on ${expires}; it matches ${plural(findings, 'finding')}`,
      );
    if (state === 'unused')
      add(
        'suppression-unused',
        'note',
        `unused: ${place} matches ${namesRule ? 'no finding' : 'no rule name'}`,
      );
  }
  const warnings = book.diagnostics.length;
  if (warnings > 0)
    add('rules-unclear', 'note', `rules: ${plural(warnings, 'warning')} (--validate lists them)`);
  for (const note of book.notes) add('rules-unclear', 'note', `rules: ${note}`);
  return remarks;
}

export function plural(count: number, thing: string, things = `${thing}s`): string {
  return `${grouped(count)} ${count === 1 ? thing : things}`;
}

/** Keeps at most `limit` remarks of each kind; the last one counts the rest. */
export function limitRemarks(remarks: readonly Remark[], limit: number): Remark[] {
  const kinds = Object.keys(remarkKinds) as RemarkKind[];
  return kinds.flatMap((kind) => {
    const all = remarks.filter((remark) => remark.kind === kind);
    const [first] = all;
    if (first === undefined || all.length <= limit) return all;
    const more = all.length - limit + 1;
    return [
      ...all.slice(0, limit - 1),
      { kind, level: first.level, text: `${counted(BigInt(more), 'more')} like these` },
    ];
  });
}
