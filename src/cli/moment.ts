import { SfkitError } from '../engine/errors.js';
import type { Summary } from '../engine/session.js';

/** A moment of a capture: a time, or a distance from its first event. */
export type Moment = { at: bigint } | { after: bigint };

/**
 * Parses --at: a time in UTC (2026-03-02T10:00:01.5) or +SECONDS from the first event. The result is in ns.
 */
export function parseMoment(text: string): Moment {
  const distance = /^\+(\d{1,9})(?:\.(\d{1,9}))?$/.exec(text);
  if (distance !== null) return { after: nanoseconds(distance[1] as string, distance[2]) };
  const time = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z?$/.exec(text);
  const milliseconds = time === null ? Number.NaN : Date.parse(`${time[1]}T${time[2]}Z`);
  if (Number.isNaN(milliseconds) || milliseconds < 0) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `--at ${text}: expected a time in UTC, such as 2026-03-02T10:00:01.5, or +SECONDS from the first event`,
    );
  }
  return { at: nanoseconds(String(milliseconds / 1000), time?.[3]) };
}

/** The time in ns since 1970, for a capture whose first event has the time `first`. */
export function momentIn(moment: Moment, first: bigint): bigint {
  return 'at' in moment ? moment.at : first + moment.after;
}

function nanoseconds(whole: string, fraction = ''): bigint {
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** The time that captures cover, in ns since 1970. */
export function spanOf(summaries: readonly { summary: Pick<Summary, 'firstTime' | 'lastTime'> }[]): {
  first: bigint;
  last: bigint;
} {
  let first: bigint | undefined;
  let last = 0n;
  for (const { firstTime, lastTime } of summaries.map(({ summary }) => summary)) {
    if (first === undefined || firstTime < first) first = firstTime;
    if (lastTime > last) last = lastTime;
  }
  return { first: first ?? 0n, last };
}
