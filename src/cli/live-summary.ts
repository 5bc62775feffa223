import { escapeForTerminal } from '../engine/escape.js';
import { forgotten } from '../engine/reasons.js';
import type { Summary } from '../engine/session.js';
import { counted, grouped, noteLines } from '../engine/summary-text.js';
import { isoTime, jsonDocument } from '../export/values.js';
import { type OutputName, outputList } from './summary.js';

/** The result of a live capture. */
export interface LiveOutcome {
  summary: Summary;
  seconds: number;
  /** Complete outputs. */
  outputs: readonly OutputName[];
  /** Whether the run wrote records. Default: true. */
  recordsMade?: boolean;
}

/** Formats the result in a few lines for people. */
export function liveText({ summary, seconds, outputs, recordsMade = true }: LiveOutcome): string {
  const records = Object.entries(recordsMade ? summary.records : {}).filter(
    ([, count]) => count > 0n,
  );
  const total = records.reduce((sum, [, count]) => sum + count, 0n);
  const { events, gaps } = summary.live;
  const lines = [
    `${grouped(events)} events in ${seconds.toFixed(1)} s${recordsMade ? `, ${grouped(total)} records` : ''}${outputs.length > 0 ? ` -> ${outputList(outputs)}` : ''}`,
  ];
  if (records.length > 0)
    lines.push(
      `  records: ${records.map(([type, count]) => `${type} ${grouped(count)}`).join(', ')}`,
    );
  for (const { reason, count } of summary.skipped) {
    if (recordsMade && count > 0n) lines.push(`  skipped: ${counted(count, reason)}`);
  }
  lines.push(...noteLines(summary).map((line) => `  note: ${line}`));
  for (const { reason, count, isLoss } of gaps)
    lines.push(`  ${isLoss ? 'lost' : 'left out'}: ${counted(count, reason)}`);
  if (summary.live.privilegesFailure !== '')
    lines.push(`  note: ${summary.live.privilegesFailure}`);
  if (!hasLoss(summary)) lines.push('  lost: nothing');
  return lines.map((line) => `${escapeForTerminal(line)}\n`).join('');
}

/** The result as JSON. */
export function liveJson({ summary, seconds, outputs, recordsMade = true }: LiveOutcome): string {
  return jsonDocument({
    outputs,
    events: summary.live.events,
    ...(recordsMade && {
      records: summary.records,
      skipped: summary.skipped,
      notes: summary.notes,
    }),
    gaps: summary.live.gaps,
    privilegesFailure: summary.live.privilegesFailure || null,
    firstTime: summary.firstTime === 0n ? null : isoTime(summary.firstTime),
    lastTime: summary.lastTime === 0n ? null : isoTime(summary.lastTime),
    seconds,
  });
}

/** Whether events were lost, or the engine forgot state. */
export function hasLoss(summary: Summary): boolean {
  return forgotten(summary.skipped).length > 0 || summary.live.gaps.some(({ isLoss }) => isLoss);
}
