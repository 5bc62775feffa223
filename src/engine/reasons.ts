import { type ReasonId, reasons } from './reasons.gen.js';
import type { ReasonCount } from './summary.js';

/** The count of a reason. `detail` follows the text in brackets. */
export function reasonCount(id: ReasonId, count: bigint, detail?: string): ReasonCount {
  const { severity, text } = reasons[id];
  return { id, severity, reason: detail === undefined ? text : `${text} (${detail})`, count };
}

const forgetting: ReadonlySet<string> = new Set<ReasonId>([
  'forgotten-threads',
  'forgotten-descriptors',
  'forgotten-names',
]);

/** What the engine forgot to stay within its memory limit. */
export function forgotten(skipped: readonly ReasonCount[]): ReasonCount[] {
  return skipped.filter(({ id, count }) => forgetting.has(id) && count > 0n);
}

/** Adds up the counts of equal reasons, in the order in which they first appear. */
export function sumOfReasons(counts: Iterable<ReasonCount>): ReasonCount[] {
  const sums = new Map<string, ReasonCount>();
  for (const one of counts) {
    const before = sums.get(one.reason);
    sums.set(one.reason, { ...one, count: (before?.count ?? 0n) + one.count });
  }
  return [...sums.values()];
}
