import { SfkitError } from '../engine/errors.js';
import type { Summary } from '../engine/session.js';

/**
 * A moment of a capture, as --at takes it: its start or end, a time, or a distance from its first
 * event, in ns.
 */
export type Moment = 'start' | 'end' | { at: bigint } | { after: bigint };

/** What --at takes. */
export const momentHelp =
  'start, end, a time in UTC (2026-03-02T10:00:01.5), or +SECONDS from the first event';

/** Parses the value of --at. */
export function parseMoment(text: string): Moment {
  if (text === 'start' || text === 'end') return text;
  const distance = /^\+(\d{1,9})(?:\.(\d{1,9}))?$/.exec(text);
  if (distance !== null) return { after: nanoseconds(distance[1] as string, distance[2]) };
  const time = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z?$/.exec(text);
  const milliseconds = time === null ? Number.NaN : Date.parse(`${time[1]}T${time[2]}Z`);
  if (Number.isNaN(milliseconds) || milliseconds < 0)
    throw new SfkitError('INVALID_ARGUMENT', `--at ${text}: expected ${momentHelp}`);
  return { at: nanoseconds(String(milliseconds / 1000), time?.[3]) };
}

/** The time that captures cover, in ns since 1970. */
export interface Span {
  first: bigint;
  last: bigint;
}

/** The moment in ns since 1970. The start is before the first event. */
export function momentIn(moment: Moment, { first, last }: Span): bigint {
  if (moment === 'start') return first - 1n;
  if (moment === 'end') return last;
  return 'at' in moment ? moment.at : first + moment.after;
}

export function spanOf(
  summaries: readonly { summary: Pick<Summary, 'firstTime' | 'lastTime'> }[],
): Span {
  let first: bigint | undefined;
  let last = 0n;
  for (const { firstTime, lastTime } of summaries.map(({ summary }) => summary)) {
    if (first === undefined || firstTime < first) first = firstTime;
    if (lastTime > last) last = lastTime;
  }
  return { first: first ?? 0n, last };
}

function nanoseconds(whole: string, fraction = ''): bigint {
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}
