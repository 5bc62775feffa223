import { openRecovered, type Summary } from '../engine/session.js';
import type { ByteSink } from '../output/sink.js';

/** Writes the readable part of a capture to `sink` as an undamaged capture, and closes it. */
export async function recover(input: string, sink: ByteSink): Promise<Summary> {
  const session = openRecovered({ input, kind: 'capture' });
  try {
    for await (const bytes of session) await sink.write(bytes);
  } catch (error) {
    sink.discard();
    throw error;
  }
  await sink.close();
  return session.summary();
}

/** Whether the output lacks anything of the input. */
export function isLossy(summary: Summary): boolean {
  return summary.damage.length > 0 || summary.skipped.some(({ count }) => count > 0n);
}
