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
  /** First and last event. Default: those of the capture. */
  from?: Bound | undefined;
  to?: Bound | undefined;
}

/** Writes the events of a capture to `sink`, one per line, and closes it. */
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
