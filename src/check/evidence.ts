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

/** By the keys of findings. */
export type Evidence = ReadonlyMap<string, readonly EvidenceEvent[]>;

type Place = Pick<Finding, 'tid' | 'ts'>;

/** What a finding and its event share in every language: records have the times of events, but numbers of their own. */
export function evidenceKey({ tid, ts }: Place): string {
  return `${tid} ${ts}`;
}

/** The events around each of the findings: `events` before its own, that one, and as many after it. */
export async function readEvidence(
  input: string,
  findings: readonly Place[],
  events: number,
  signal?: AbortSignal,
): Promise<Evidence> {
  const threads = new Map<number, Thread>();
  for (const { tid, ts } of findings) {
    const thread = threads.get(tid) ?? new Thread(tid, events);
    thread.wanted.add(ts);
    threads.set(tid, thread);
  }
  const evidence = new Map<string, EvidenceEvent[]>();
  if (threads.size === 0) return evidence;
  const session = openLines({
    input,
    kind: 'capture',
    signal,
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
  /** Times of findings that have none yet. */
  readonly wanted = new Set<string>();
  readonly #tid: number;
  readonly #events: number;
  readonly #before: EvidenceEvent[] = [];
  #open: { events: EvidenceEvent[]; missing: number }[] = [];

  constructor(tid: number, events: number) {
    this.#tid = tid;
    this.#events = events;
  }

  take(number: number, rest: readonly string[], evidence: Map<string, EvidenceEvent[]>): void {
    const event = eventOf(number, rest);
    for (const open of this.#open) {
      open.events.push(event);
      open.missing -= 1;
    }
    this.#open = this.#open.filter(({ missing }) => missing > 0);
    if (this.wanted.delete(event.ts)) {
      const events = [...this.#before, event];
      evidence.set(evidenceKey({ tid: this.#tid, ts: event.ts }), events);
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
