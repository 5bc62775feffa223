import type { Bound } from '../engine/bounds.js';
import { openLines, type Summary } from '../engine/session.js';
import type { ByteSink } from '../output/sink.js';

export interface EventListOptions {
  /** text: a line each; json: an object each; count: only the number of events. */
  format: 'text' | 'json' | 'count';
  /** Template with %field names. Default: the line analysts know; for json every fact of the event. */
  line?: string | undefined;
  /** Only events that pass this Falco filter. Default: all. */
  filter?: string | undefined;
  /** The first and the last event. Default: those of the capture. */
  from?: Bound | undefined;
  to?: Bound | undefined;
}

/** Writes the events of a capture to `sink`, one a line, and closes it. */
export async function listEvents(input: string, options: EventListOptions, sink: ByteSink): Promise<Summary> {
  const session = openLines({
    input,
    kind: 'capture',
    lineFormat: options.format,
    line: options.line,
    filter: options.filter,
    from: options.from,
    to: options.to,
  });
  for await (const lines of session) await sink.write(lines);
  const summary = session.summary();
  if (options.format === 'count') await sink.write(`${summary.shown}\n`);
  await sink.close();
  return summary;
}
