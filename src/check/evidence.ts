import { openLines } from '../engine/session.js';
import type { EvidenceEvent, Finding } from './finding.js';
import type { ReadingOptions } from './language.js';
import { truncate } from './text.js';

// Evidence: the events of a finding's thread before and after it. The later ones are unknown when a
// rule matches, so a second pass over the capture collects them.

/** Maximum number of events on each side of a finding. */
export const maxEvidence = 1000;
/**
 * Maximum number of evidence events per capture. The less severe findings stay without evidence.
 */
const maxEvents = 20_000;
const maxFindings = 1000;
const maxCharacters = 500;

/** Number of findings per capture that get evidence, for `events` events on each side. */
export function findingsWithEvidence(events: number): number {
  return Math.max(1, Math.min(maxFindings, Math.floor(maxEvents / (2 * events + 1))));
}

/** Events by evidenceKey(). */
export type Evidence = ReadonlyMap<string, readonly EvidenceEvent[]>;

type Place = Pick<Finding, 'tid' | 'ts'>;

/**
 * Thread and time identify the event in every rule language. Event numbers do not: records are
 * numbered separately.
 */
export function evidenceKey({ tid, ts }: Place): string {
  return `${tid} ${ts}`;
}

/** Reads the evidence of each finding: its own event, and `events` events before and after it. */
export async function readEvidence(
  input: string,
  findings: readonly Place[],
  events: number,
  { signal, maxMemory }: ReadingOptions = {},
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
    maxMemory,
    line,
    // The events that rules see: exit events, and procexit, which has no exit event.
    filter: `thread.tid in (${[...threads.keys()].join(', ')}) and (evt.dir = < or evt.type = procexit)`,
  });
  for await (const bytes of session) {
    for (const text of Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      .toString('utf8')
      .split('\n')) {
      if (text === '') continue;
      const [number = '', tid = '', ...rest] = text.split('\t');
      threads.get(Number(tid))?.take(Number(number), rest, evidence);
    }
  }
  return evidence;
}

/** Fields separated by tabs. The engine escapes tabs in captured text. */
const line = [
  'evt.num',
  'thread.tid',
  'evt.rawtime',
  'evt.type',
  'evt.res',
  'fd.name',
  'proc.cmdline',
  'evt.args',
]
  .map((field) => `%${field}`)
  .join('\\t');

/** The last events of a thread, and its findings whose evidence is incomplete. */
class Thread {
  /** Times of the findings whose event was not read yet. */
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

/**
 * Calls that create processes or programs: the command line says more than their many parameters.
 */
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
  return { number, ts, eventType: type, text: truncate(`${type} ${about}`.trim(), maxCharacters) };
}
