import { type ReasonId, reasons, type Severity } from './reasons.gen.js';

/** Something that was counted besides records, and why. */
export interface ReasonCount {
  /** Stays the same between versions, other than the text. */
  id: ReasonId;
  severity: Severity;
  /** The text for people, which begins with what is counted, in the plural. */
  reason: string;
  count: bigint;
}

/** `detail`: what it was in this case, in brackets after the text. */
export function reasonCount(id: ReasonId, count: bigint, detail?: string): ReasonCount {
  const { severity, text } = reasons[id];
  return { id, severity, reason: detail === undefined ? text : `${text} (${detail})`, count };
}

/** The counts of the same reason added up, in the order in which the reasons come first. */
export function sumOfReasons(counts: Iterable<ReasonCount>): ReasonCount[] {
  const sums = new Map<string, ReasonCount>();
  for (const one of counts) {
    const before = sums.get(one.reason);
    sums.set(one.reason, { ...one, count: (before?.count ?? 0n) + one.count });
  }
  return [...sums.values()];
}
