import { isoTime } from '../../export/values.js';
import type { CheckReport } from '../check.js';
import type { RuleOutcome } from '../finding.js';
import type { RunReport } from '../report.js';
import { jsonOf } from '../text.js';
import type { FindingFormat } from './format.js';

/**
 * One document: findings, the outcome of each rule, and diagnostics for rule files and captures.
 */
export const json: FindingFormat = {
  name: 'json',
  open(sink) {
    let isFirst = true;
    const begin = () => {
      const text = isFirst ? '{"findings":[\n' : ',\n';
      isFirst = false;
      return text;
    };
    return {
      finding: (finding) => sink.write(`${begin()}${jsonOf(finding)}`),
      async end(report) {
        await sink.write(isFirst ? '{"findings":[]' : '\n]');
        for (const [name, items] of Object.entries(partsOf(report)))
          await sink.write(`,\n"${name}":${array(items)}`);
        await sink.write('}\n');
        await sink.close();
      },
    };
  },
};

function partsOf(report: RunReport): Record<string, readonly unknown[]> {
  return {
    rules: report.rules.map(outcomeOf),
    suppressions: report.suppressions,
    captures: [...report.captures.map(captureOf), ...report.failed],
    diagnostics: report.book.diagnostics,
    notes: report.book.notes,
  };
}

function outcomeOf({ rule, state, reason, matches, leftOut }: RuleOutcome) {
  const { name, id, language, level, tags, description, location } = rule;
  return {
    rule: name,
    ruleId: id,
    state,
    reason,
    matches,
    leftOut,
    language,
    level,
    tags,
    description,
    location,
  };
}

function captureOf({ capture, summary }: CheckReport) {
  return {
    capture,
    events: Number(summary.events),
    firstTime: summary.firstTime === 0n ? null : isoTime(summary.firstTime),
    lastTime: summary.lastTime === 0n ? null : isoTime(summary.lastTime),
    damage: summary.damage.map(({ kind, message, offset, skippedBytes }) => ({
      kind,
      message,
      offset: Number(offset),
      skippedBytes: Number(skippedBytes),
    })),
    skipped: countsOf(summary.skipped),
    notes: countsOf(summary.notes),
  };
}

function countsOf(reasons: CheckReport['summary']['notes']) {
  return reasons
    .filter(({ count }) => count > 0n)
    .map((one) => ({ ...one, count: Number(one.count) }));
}

function array(items: readonly unknown[]): string {
  return items.length === 0 ? '[]' : `[\n${items.map(jsonOf).join(',\n')}\n]`;
}
