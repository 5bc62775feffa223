import type { Bound } from '../engine/bounds.js';
import { openLines, type Summary } from '../engine/session.js';
import type { ByteSink } from '../output/sink.js';

export interface EventListOptions {
  /** text: one line per event; json: one object per event; count: only the number of events. */
  format: 'text' | 'json' | 'count';
  /** Template with %field names. Default: the usual event line; for json, all data of the event. */
  line?: string | undefined;
  /** Only events that pass this Falco filter. Default: all. */
  filter?: string | undefined;
  /** Bytes of memory for the engine. Default: no limit. */
  maxMemory?: number | undefined;
  /** First and last event. Default: those of the capture. */
  from?: Bound | undefined;
  to?: Bound | undefined;
  /** Maximum events; reading ends after them. Default: no limit. */
  limit?: number | undefined;
}

/** What was read and how many events were written. */
export interface EventList {
  summary: Summary;
  events: number;
}

/** Writes the events of a capture to `sink`, one per line, and closes it. */
export async function listEvents(
  input: string,
  options: EventListOptions,
  sink: ByteSink,
): Promise<Summary> {
  const { summary, events } = await writeEvents(input, options, sink);
  if (options.format === 'count') await sink.write(`${events}\n`);
  await sink.close();
  return summary;
}

/**
 * Writes the events of a capture to `sink`, one per line. With the format count it only counts
 * them.
 */
export async function writeEvents(
  input: string,
  options: EventListOptions,
  sink: ByteSink,
): Promise<EventList> {
  const { limit = Number.POSITIVE_INFINITY } = options;
  const session = openLines({
    input,
    kind: 'capture',
    lineFormat: options.format,
    line: options.line,
    filter: options.filter,
    maxMemory: options.maxMemory,
    from: options.from,
    to: options.to,
  });
  let events = 0;
  for await (const lines of session) {
    const part = firstLines(lines, limit - events);
    await sink.write(part.bytes);
    events += part.count;
    if (events >= limit) break;
  }
  const summary = session.summary();
  // Nothing is written that could be counted here.
  if (options.format === 'count') events = Math.min(Number(summary.shown), limit);
  return { summary, events };
}

const newline = 0x0a;

/** At most `limit` of the lines, and their number. */
function firstLines(lines: Uint8Array, limit: number): { bytes: Uint8Array; count: number } {
  let count = 0;
  let end = 0;
  while (count < limit) {
    const next = lines.indexOf(newline, end);
    if (next < 0) break;
    count += 1;
    end = next + 1;
  }
  return { bytes: lines.subarray(0, end), count };
}
