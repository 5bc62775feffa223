import { schemaVersion } from '../engine/columns.gen.js';
import { escapeForTerminal } from '../engine/escape.js';
import { standardInput } from '../engine/input-kind.js';
import { forgotten, sumOfReasons } from '../engine/reasons.js';
import type { Summary } from '../engine/session.js';
import { counted, damageLines, grouped, noteLines } from '../engine/summary-text.js';
import type { Conversion } from '../export/plan.js';
import { isoTime, jsonDocument } from '../export/values.js';

/** A complete output, and what it is: a format, capture or socket. */
export interface OutputName {
  output: string;
  format: string;
}

/** The result of one conversion. */
export interface Outcome {
  input: string;
  outputs: readonly OutputName[];
  summary: Summary;
  seconds: number;
}

/** The outputs of a plan, for messages; rotated files are NAME.*. */
export function namedOutputs(plans: readonly Conversion[], socket?: string): OutputName[] {
  const outputs = plans.map(({ output, format, rotate = 0 }) => ({
    output: rotate > 0 && format === 'avro' ? `${output}.*` : output,
    format: format as string,
  }));
  return socket === undefined ? outputs : [...outputs, { output: socket, format: 'socket' }];
}

/** The outputs in words. */
export function outputList(outputs: readonly OutputName[]): string {
  return outputs
    .map(({ output, format }) => `${output === '-' ? 'standard output' : output} (${format})`)
    .join(', ');
}

/**
 * Whether a result lacks data: the input is damaged, a reader did not take every record, or the
 * engine forgot something to stay within --max-memory.
 */
export function isPartial({ damage, skipped }: Summary): boolean {
  return (
    damage.length > 0 ||
    forgotten(skipped).length > 0 ||
    skipped.some(({ id, count }) => id === 'socket-reader-too-slow' && count > 0n)
  );
}

/** Formats a result in a few lines for people. */
export function summaryText({ input, outputs, summary, seconds }: Outcome): string {
  const records = Object.entries(summary.records).filter(([, count]) => count > 0n);
  const total = records.reduce((sum, [, count]) => sum + count, 0n);
  const lines = [
    `${input} -> ${outputList(outputs)}`,
    `  ${grouped(summary.events)} events, ${grouped(total)} records in ${seconds.toFixed(2)} s (${grouped(rate(summary, seconds))} events/s)`,
  ];
  if (records.length > 0)
    lines.push(
      `  records: ${records.map(([type, count]) => `${type} ${grouped(count)}`).join(', ')}`,
    );
  for (const { reason, count } of summary.skipped) {
    if (count > 0n) lines.push(`  skipped: ${counted(count, reason)}`);
  }
  lines.push(...noteLines(summary).map((line) => `  note: ${line}`));
  lines.push(
    ...shortened(damageLines(summary), 'places of damage').map((line) => `  damaged: ${line}`),
  );
  return lines.map((line) => `${escapeForTerminal(line)}\n`).join('');
}

/** Formats the result of a recovery. */
export function recoveryText(input: string, output: string, summary: Summary): string {
  const lines = [
    `${input} -> ${output === '-' ? 'standard output' : output}`,
    `  ${grouped(summary.shown)} events`,
    ...summary.skipped
      .filter(({ count }) => count > 0n)
      .map(({ reason, count }) => `  dropped: ${counted(count, reason)}`),
    ...shortened(damageLines(summary), 'places of damage').map((line) => `  damaged: ${line}`),
  ];
  return lines.map((line) => `${escapeForTerminal(line)}\n`).join('');
}

/** Reports damage, for commands that print no summary. */
export function damageText(path: string, summary: Summary): string {
  const name = path === standardInput ? 'standard input' : path;
  return shortened(damageLines(summary), 'places of damage')
    .map((line) => `sfkit: ${escapeForTerminal(`${name} is damaged: ${line}`)}\n`)
    .join('');
}

const maxLines = 10;

/** The first lines of many, and the number of the others. */
export function shortened(lines: readonly string[], things: string): string[] {
  if (lines.length <= maxLines + 1) return [...lines];
  const more = `${grouped(lines.length - maxLines)} more ${things} (sfkit info --json lists them)`;
  return [...lines.slice(0, maxLines), more];
}

/** Reports data that this version of sfkit does not show. */
export function skippedText(path: string, summary: Summary): string {
  const name = path === standardInput ? 'standard input' : path;
  return summary.skipped
    .filter(({ count }) => count > 0n)
    .map(
      ({ reason, count }) =>
        `sfkit: ${escapeForTerminal(`${name}: skipped ${counted(count, reason)}`)}\n`,
    )
    .join('');
}

/** Reports what the engine forgot, for commands that print no summary. */
export function forgottenText(path: string, summary: Summary): string {
  return skippedText(path, { ...summary, skipped: forgotten(summary.skipped) });
}

/** Reports notes, for commands that print no summary. */
export function noteText(path: string, summary: Summary): string {
  const name = path === standardInput ? 'standard input' : path;
  return noteLines(summary)
    .map((line) => `sfkit: ${escapeForTerminal(`${name}: note: ${line}`)}\n`)
    .join('');
}

/** The results as an object: totals, then each capture. */
export function summaryJson(outcomes: readonly Outcome[]): string {
  const captures = outcomes.map(({ input, outputs, summary, seconds }) => {
    const { output, format } = outputs[0] as OutputName;
    return {
      input,
      output,
      format,
      schema: format === 'avro' || format === 'socket' ? null : schemaVersion,
      outputs,
      ...facts(summary, seconds),
    };
  });
  const first = captures[0];
  const totals = captures.length === 1 && first ? { ...first } : sum(outcomes);
  return jsonDocument({ ...totals, captures });
}

function facts(summary: Summary, seconds: number) {
  return {
    inputFormat: summary.format,
    compression: summary.compression,
    events: summary.events,
    bytes: summary.bytes,
    records: summary.records,
    skipped: summary.skipped,
    notes: summary.notes,
    damage: summary.damage,
    firstTime: summary.firstTime === 0n ? null : isoTime(summary.firstTime),
    lastTime: summary.lastTime === 0n ? null : isoTime(summary.lastTime),
    seconds,
    eventsPerSecond: rate(summary, seconds),
  };
}

function sum(outcomes: readonly Outcome[]) {
  const records: Record<string, bigint> = {};
  let events = 0n;
  let bytes = 0n;
  let seconds = 0;
  for (const outcome of outcomes) {
    events += outcome.summary.events;
    bytes += outcome.summary.bytes;
    seconds += outcome.seconds;
    for (const [type, count] of Object.entries(outcome.summary.records))
      records[type] = (records[type] ?? 0n) + count;
  }
  return {
    events,
    bytes,
    records,
    skipped: sumOfReasons(outcomes.flatMap(({ summary }) => summary.skipped)),
    notes: sumOfReasons(outcomes.flatMap(({ summary }) => summary.notes)),
    damage: outcomes.flatMap(({ summary }) => summary.damage),
    seconds,
    eventsPerSecond: seconds > 0 ? Math.round(Number(events) / seconds) : 0,
  };
}

function rate(summary: Summary, seconds: number): number {
  return seconds > 0 ? Math.round(Number(summary.events) / seconds) : 0;
}
