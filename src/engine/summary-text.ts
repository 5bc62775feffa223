import type { Summary } from './session.js';

// Formats summaries for people; the text is not escaped.

/** One line per kind of data left out. */
export function skippedLines(summary: Summary): string[] {
  return summary.skipped
    .filter(({ count }) => count > 0n)
    .map(({ reason, count }) => counted(count, reason));
}

/** One line per note. */
export function noteLines(summary: Summary): string[] {
  return summary.notes
    .filter(({ count }) => count > 0n)
    .map(({ reason, count }) => counted(count, reason));
}

/** One line per place of damage. */
export function damageLines(summary: Summary): string[] {
  return summary.damage.map(({ message, offset, skippedBytes }) => {
    // The message may already contain the number.
    const isIncluded = skippedBytes === 0n || message.includes(`${skippedBytes} byte`);
    const lost = isIncluded ? '' : `, ${counted(skippedBytes, 'bytes')} lost`;
    return `at byte ${offset}: ${message}${lost}`;
  });
}

/**
 * Prefixes the count. The engine's reasons start with a plural noun, which becomes singular for 1.
 */
export function counted(count: bigint, things: string): string {
  return `${grouped(count)} ${count === 1n ? singular(things) : things}`;
}

/** Makes the first plural noun singular: 'file flows that ...' becomes 'file flow that ...'. */
function singular(things: string): string {
  return things
    .replace(
      /\b(argument|buffer|byte|block|call|column|descriptor|event|flow|guarantee|header|list|name|option|parameter|place|pod|record|row|table|text|thread|time)s\b/,
      '$1',
    )
    .replace(/\btheir\b/, 'its');
}

/** Formats with a comma between thousands. */
export function grouped(value: bigint | number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}
