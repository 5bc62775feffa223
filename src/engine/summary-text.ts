import type { Summary } from './session.js';

// What a summary says, in words for a person; not escaped.

/** A line for each thing that was left out. */
export function skippedLines(summary: Summary): string[] {
  return summary.skipped.filter(({ count }) => count > 0n).map(({ reason, count }) => counted(count, reason));
}

/** A line for each note. */
export function noteLines(summary: Summary): string[] {
  return summary.notes.filter(({ count }) => count > 0n).map(({ reason, count }) => counted(count, reason));
}

/** A line for each place of damage. */
export function damageLines(summary: Summary): string[] {
  return summary.damage.map(({ message, offset, skippedBytes }) => {
    // The message may have said as much.
    const isSaid = skippedBytes === 0n || message.includes(`${skippedBytes} byte`);
    const lost = isSaid ? '' : `, ${counted(skippedBytes, 'bytes')} lost`;
    return `at byte ${offset}: ${message}${lost}`;
  });
}

/** The reasons of the engine begin with what they count, in the plural. */
export function counted(count: bigint, things: string): string {
  return `${grouped(count)} ${count === 1n ? singular(things) : things}`;
}

/** The first plural noun made one: 'file flows that ...' to 'file flow that ...'. */
function singular(things: string): string {
  return things
    .replace(/\b(byte|block|call|column|event|flow|header|list|place|pod|record|row|table|time)s\b/, '$1')
    .replace(/\btheir\b/, 'its');
}

/** With a comma between thousands. */
export function grouped(value: bigint | number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}
