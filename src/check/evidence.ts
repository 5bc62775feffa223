import { openLines } from '../engine/session.js';
import type { EvidenceEvent, Finding } from './finding.js';
import { cut } from './text.js';

// The events around a finding: those of its thread, which say what it did before and after. They are not known when a rule
// matches, and so the capture is read again.

/** Events on each side of a finding. */
export const mostEvidence = 1000;
/** Events of all findings of a capture; those that are left without are the less severe ones. */
const mostEvents = 20_000;
const mostFindings = 1000;
const mostCharacters = 500;

/** How many findings of a capture get so many events on each side. */
export function findingsWithEvidence(events: number): number {
  return Math.max(1, Math.min(mostFindings, Math.floor(mostEvents / (2 * events + 1))));
}

export type Evidence = ReadonlyMap<number, readonly EvidenceEvent[]>;

/** Of the events with the numbers of these findings those around each: `events` before it, itself, and as many after. */
export async function readEvidence(
  input: string,
  findings: readonly Pick<Finding, 'eventNumber' | 'tid'>[],
  events: number,
): Promise<Evidence> {
  const threads = new Map<number, Thread>();
  for (const { tid, eventNumber } of findings) {
    const thread = threads.get(tid) ?? new Thread(events);
    thread.wanted.add(eventNumber);
    threads.set(tid, thread);
  }
  const evidence = new Map<number, EvidenceEvent[]>();
  if (threads.size === 0) return evidence;
  const session = openLines({
    input,
    kind: 'capture',
    line,
    // As rules are: where calls return, and where there is nothing else.
    filter: `thread.tid in (${[...threads.keys()].join(', ')}) and (evt.dir = < or evt.type = procexit)`,
  });
  for await (const bytes of session) {
    for (const text of Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').split('\n')) {
      if (text === '') continue;
      const [number = '', tid = '', ...rest] = text.split('\t');
      threads.get(Number(tid))?.take(Number(number), rest, evidence);
    }
  }
  return evidence;
}

/** Tabs in captured text are escaped. */
const line = ['evt.num', 'thread.tid', 'evt.rawtime', 'evt.type', 'evt.res', 'fd.name', 'proc.cmdline', 'evt.args']
  .map((field) => `%${field}`)
  .join('\\t');

/** The last events of a thread, and the findings that are still to get some. */
class Thread {
  readonly wanted = new Set<number>();
  readonly #events: number;
  readonly #before: EvidenceEvent[] = [];
  #open: { events: EvidenceEvent[]; missing: number }[] = [];

  constructor(events: number) {
    this.#events = events;
  }

  take(number: number, rest: readonly string[], evidence: Map<number, EvidenceEvent[]>): void {
    const event = eventOf(number, rest);
    for (const open of this.#open) {
      open.events.push(event);
      open.missing -= 1;
    }
    this.#open = this.#open.filter(({ missing }) => missing > 0);
    if (this.wanted.has(number)) {
      const events = [...this.#before, event];
      evidence.set(number, events);
      this.#open.push({ events, missing: this.#events });
    }
    this.#before.push(event);
    if (this.#before.length > this.#events) this.#before.shift();
  }
}

/** What makes a process: of its many parameters the command line says most. */
const isProcess = /^(?:execve|execveat|clone|clone3|fork|vfork)$/;
const unknown = '<NA>';

function eventOf(
  number: number,
  [ts = '', type = '', result = '', name = '', command = '', args = '']: readonly string[],
) {
  const about = isProcess.test(type)
    ? `${command} res=${result}`
    : args.includes(name) || name === unknown
      ? args
      : `${name} ${args}`;
  return { number, ts, eventType: type, text: cut(`${type} ${about}`.trim(), mostCharacters) };
}
