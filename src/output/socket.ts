import { setTimeout as sleep } from 'node:timers/promises';
import { loadAddon, type SeqpacketSocket } from '../engine/addon.js';
import type { Datum } from '../records/decode.js';
import { processKey } from '../records/entities.js';
import type { EndedRecord, SysFlowRecord } from '../records/types.js';
import type { Log } from './log.js';

/** Limits on waiting for a reader. */
export interface SocketLimits {
  /** Maximum queued records; further ones are dropped and counted. */
  queue: number;
  /** Maximum queued bytes. */
  queueBytes: number;
  /** Pause before the next connection attempt, in ms; each failure doubles it. */
  retry: number;
  /** Maximum pause between attempts, in ms. */
  maxRetry: number;
  /** Maximum time without progress of the reader at the end of a run, in ms. */
  linger: number;
}

export const defaultLimits: SocketLimits = {
  queue: 65_536,
  queueBytes: 64 << 20,
  retry: 50,
  maxRetry: 5_000,
  linger: 10_000,
};

/** Maximum ancestors to send; longer chains are forged. */
const maxAncestry = 4096;

/** Pause between attempts to send to a slow reader, in ms. */
const pause = 2;

/**
 * Sends records to a unix socket of type SOCK_SEQPACKET, one per message. If the reader
 * disconnects, records queue up until it reconnects. A new reader gets the header, every entity
 * before the first record that refers to it, and the records that the previous reader left unread.
 * So a record can arrive twice, but none is lost within the limits of the queue.
 */
export class SocketWriter {
  readonly #path: string;
  readonly #log: Log;
  readonly #limits: SocketLimits;
  readonly #socket: SeqpacketSocket = new (loadAddon().SeqpacketSocket)();
  readonly #queue = new Fifo();
  /** Sent, but possibly not read yet. */
  #unread: Queued[] = [];
  /** Entities since the last header. */
  #entities = new Entities();
  /** Number of the current reader; a new reader knows nothing that earlier ones received. */
  #reader = 1;
  /** Entities to forget once everything accepted before is read. */
  #pendingEnds: PendingEnd[] = [];
  #accepted = 0;
  #connected = false;
  #problem = '';
  #retryAt = 0;
  #retryAfter: number;
  /** Time of the reader's last progress, or of end(). */
  #progressAt = 0;
  #isEnding = false;
  dropped = 0;
  droppedIpv6 = 0;
  sent = 0;

  constructor(path: string, log: Log, limits: SocketLimits = defaultLimits) {
    this.#path = path;
    this.#log = log;
    this.#limits = limits;
    this.#retryAfter = limits.retry;
  }

  /**
   * Accepts the next record. Waits for a slow reader, but not for a missing one, and after end()
   * only for a limited time.
   */
  async write({ record, bytes }: Datum): Promise<void> {
    if (record.type === 'NetworkFlow' && record.family === 6) {
      // The schema cannot represent these addresses.
      this.droppedIpv6 += 1;
      return;
    }
    // The batch with the original bytes is freed.
    const datum = { record, bytes: Buffer.from(bytes) };
    // After a header, entities are written again. Queued records still use the old table.
    if (record.type === 'Header') this.#entities = new Entities();
    const number = ++this.#accepted;
    const isEntity = this.#entities.keep(datum, number);
    if (this.#queue.length < this.#limits.queue && this.#queue.bytes < this.#limits.queueBytes) {
      this.#queue.push({ datum, entities: this.#entities, number });
    } else if (isEntity) {
      // It is kept outside the queue and sent before a record that refers to it.
      this.#entities.markMissing(datum);
    } else {
      this.dropped += 1;
    }
    while (this.#flush() === 'busy' && !this.#hasWaited()) await sleep(pause);
  }

  /** Announces the end of the run: from now on, a reader that takes nothing is dropped. */
  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#progressAt = Date.now();
  }

  /**
   * Sends the queue, with a limited wait for a reader, and closes. The rest is dropped and counted.
   */
  async close(): Promise<void> {
    this.end();
    while ((this.#flush() !== 'done' || this.#waitsForReader()) && !this.#hasWaited())
      await sleep(pause);
    for (let next = this.#queue.first(); next !== undefined; next = this.#queue.first()) {
      if (!isEntityRecord(next.datum.record)) this.dropped += 1;
      this.#queue.shift();
    }
    if (this.dropped > 0) {
      const reason = this.#problem === '' ? '' : ` (${this.#problem})`;
      this.#log.error('socket', `${this.#path}: ${this.dropped} records were dropped${reason}`);
    }
    this.#socket.close();
  }

  discard(): void {
    this.#socket.close();
  }

  /** Forgets entities that no later record refers to. */
  forget(ended: EndedRecord): void {
    const entities = this.#entities;
    // Records after the newest pending one do not refer to these entities.
    const newest = (this.#queue.last() ?? this.#unread.at(-1))?.number ?? 0;
    entities.forget(ended, newest, this.#accepted);
    if (ended.entity === 'files')
      this.#pendingEnds = this.#pendingEnds.filter(
        (other) => other.ended.entity !== 'files' || other.entities !== entities,
      );
    if (ended.entity === 'files' || entities.has(keyOfEnded(ended)))
      this.#pendingEnds.push({ ended, after: this.#accepted, entities });
    this.#forgetRead();
  }

  /** Whether the wait for the reader at the end has timed out. */
  #hasWaited(): boolean {
    return this.#isEnding && Date.now() - this.#progressAt > this.#limits.linger;
  }

  #forgetRead(): void {
    const oldest = (this.#unread[0] ?? this.#queue.first())?.number ?? Number.POSITIVE_INFINITY;
    while (this.#pendingEnds.length > 0 && (this.#pendingEnds[0] as PendingEnd).after < oldest) {
      const { ended, after, entities } = this.#pendingEnds.shift() as PendingEnd;
      entities.forget(ended, 0, after);
    }
  }

  #waitsForReader(): boolean {
    if (this.#queue.length > 0) return true;
    this.#removeRead();
    return this.#unread.length > 0;
  }

  #flush(): 'done' | 'busy' | 'away' {
    if (!this.#connect()) return 'away';
    for (let next = this.#queue.first(); next !== undefined; next = this.#queue.first()) {
      const { datum, entities } = next;
      entities.serve(this.#reader);
      for (const needed of entities.missingFor(datum.record)) {
        const result = this.#send({ ...next, datum: needed });
        if (result !== 'sent') return result;
      }
      if (!entities.wasSent(datum)) {
        const result = this.#send(next);
        if (result !== 'sent') return result;
      }
      this.#queue.shift();
      if (this.#unread.length % 256 === 255) {
        this.#removeRead();
        if (!this.#connected) return 'away';
      }
    }
    this.#removeRead();
    return this.#connected ? 'done' : 'away';
  }

  #send(queued: Queued): 'sent' | 'busy' | 'away' {
    const { datum, entities } = queued;
    const result = this.#socket.send(datum.bytes);
    if (result === 'lost') {
      this.#lose();
      return 'away';
    }
    if (result === 'busy') return 'busy';
    if (result === 'long') {
      this.dropped += 1;
      this.#log.warning(
        'socket',
        `${this.#path}: a record of ${datum.bytes.length} bytes exceeds the maximum message size`,
      );
    } else {
      this.sent += 1;
      this.#progressAt = Date.now();
      this.#unread.push(queued);
    }
    entities.markSent(datum);
    return 'sent';
  }

  /** Removes records that the reader has read. */
  #removeRead(): void {
    const unread = this.#socket.unread();
    if (this.#unread.length > unread) {
      this.#unread = unread === 0 ? [] : this.#unread.slice(-unread);
      this.#progressAt = Date.now();
    }
    this.#forgetRead();
    if (this.#connected && this.#unread.length > 0 && this.#socket.hasEnded()) this.#lose();
  }

  #lose(): void {
    this.#connected = false;
    this.#socket.close();
    this.#log.warning(
      'socket',
      `${this.#path}: the reader disconnected; records are queued until it reconnects`,
    );
    // Entities are sent again automatically, before records that refer to them.
    this.#queue.putBack(this.#unread.filter(({ datum }) => !isEntityRecord(datum.record)));
    this.#unread = [];
    this.#reader += 1;
    this.#retryAt = 0;
    this.#retryAfter = this.#limits.retry;
  }

  #connect(): boolean {
    if (this.#connected) return true;
    if (Date.now() < this.#retryAt) return false;
    try {
      this.#socket.connect(this.#path);
    } catch (error) {
      const message = `cannot connect: ${(error as Error).message}; records are queued until it succeeds`;
      // Warn once per disconnection.
      if (this.#retryAfter === this.#limits.retry) this.#log.warning('socket', message);
      else this.#log.verbose(1, 'socket', message);
      this.#problem = (error as Error).message;
      this.#retryAt = Date.now() + this.#retryAfter;
      this.#retryAfter = Math.min(this.#retryAfter * 2, this.#limits.maxRetry);
      return false;
    }
    this.#connected = true;
    this.#retryAfter = this.#limits.retry;
    this.#log.info('socket', `${this.#path}: connected`);
    return true;
  }
}

function isEntityRecord({ type }: SysFlowRecord): boolean {
  return (
    type === 'Header' ||
    type === 'Container' ||
    type === 'Process' ||
    type === 'File' ||
    type === 'Pod'
  );
}

/** A queued record, and the entities that it can refer to. */
interface Queued {
  datum: Datum;
  entities: Entities;
  /** Number of records accepted, up to this one or the one that needs it. */
  number: number;
}

interface PendingEnd {
  ended: EndedRecord;
  /** Number of records accepted by then. */
  after: number;
  entities: Entities;
}

/** A queue of records; taking the first takes constant time. */
class Fifo {
  #items: Queued[] = [];
  #head = 0;
  bytes = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  first(): Queued | undefined {
    return this.#items[this.#head];
  }

  last(): Queued | undefined {
    return this.length === 0 ? undefined : this.#items.at(-1);
  }

  push(item: Queued): void {
    this.#items.push(item);
    this.bytes += item.datum.bytes.length;
  }

  shift(): void {
    this.bytes -= (this.#items[this.#head] as Queued).datum.bytes.length;
    this.#head += 1;
    if (this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  /** Puts records back at the front. */
  putBack(items: readonly Queued[]): void {
    this.#items = [...items, ...this.#items.slice(this.#head)];
    this.#head = 0;
    for (const { datum } of items) this.bytes += datum.bytes.length;
  }
}

/** The newest record of each entity since a header, and which of them the reader has. */
class Entities {
  #header: Datum | undefined;
  readonly #kept = new Map<string, Datum>();
  /** The last record of each that the reader got. */
  readonly #sent = new Map<string, Datum>();
  /** Number of records accepted at the first and last record of each. */
  readonly #span = new Map<string, { first: number; last: number }>();
  #reader = 0;

  /**
   * Keeps the record if it is an entity, and returns whether it is. `number`: records accepted,
   * with this one.
   */
  keep(datum: Datum, number: number): boolean {
    const key = keyOf(datum.record);
    if (key === undefined) return false;
    if (datum.record.type === 'Header') this.#header = datum;
    this.#kept.set(key, datum);
    this.#span.set(key, { first: this.#span.get(key)?.first ?? number, last: number });
    return true;
  }

  /** Call before the other methods: a new reader has nothing. */
  serve(reader: number): void {
    if (reader === this.#reader) return;
    const isFirst = this.#reader === 0;
    this.#reader = reader;
    this.#sent.clear();
    if (isFirst) return;
    for (const [key, datum] of this.#kept) this.#kept.set(key, again(datum));
  }

  /** Whether the reader has exactly this record. */
  wasSent(datum: Datum): boolean {
    const key = keyOf(datum.record);
    return key !== undefined && this.#sent.get(key) === datum;
  }

  markSent(datum: Datum): void {
    const key = keyOf(datum.record);
    if (key !== undefined) this.#sent.set(key, datum);
  }

  has(key: string): boolean {
    return this.#kept.has(key);
  }

  /**
   * Forgets those entities whose first record has a number above `after`, and their last at most
   * `until`.
   */
  forget(ended: EndedRecord, after: number, until: number): void {
    const keys =
      ended.entity === 'files' ? [...this.#kept.keys()].filter(isFile) : [keyOfEnded(ended)];
    for (const key of keys) {
      const span = this.#span.get(key);
      if (span === undefined || span.first <= after || span.last > until) continue;
      for (const map of [this.#kept, this.#sent, this.#span]) map.delete(key);
    }
  }

  /**
   * Marks that the newest record of the entity is not queued; it is sent before a record that
   * refers to it.
   */
  markMissing({ record }: Datum): void {
    this.#sent.delete(keyOf(record) as string);
  }

  /**
   * Records to send before a record, in this order: header, pods, containers, ancestors before children,
   * files.
   */
  missingFor(record: SysFlowRecord): ReadonlySet<Datum> {
    const missing = new Set<Datum>();
    const need = (key: string) => {
      const datum = this.#kept.get(key);
      if (datum !== undefined && !this.#sent.has(key)) missing.add(datum);
    };
    if (record.type === 'Header') return missing;
    if (this.#header !== undefined) need(keyOf(this.#header.record) as string);
    const pod = (id: string | null) => id !== null && need(`pod ${id}`);
    const container = (id: string | null) => {
      if (id === null) return;
      const known = this.#kept.get(`container ${id}`)?.record;
      if (known?.type === 'Container') pod(known.podId);
      need(`container ${id}`);
    };
    if (record.type === 'Container') pod(record.podId);
    if (record.type === 'Process' || record.type === 'File') container(record.containerId);
    const first =
      record.type === 'Process' ? record.poid : 'procOID' in record ? record.procOID : null;
    const chain = new Set<string>();
    for (let oid = first; oid !== null; ) {
      const key = `process ${processKey(oid)}`;
      const known = this.#kept.get(key)?.record;
      if (
        known?.type !== 'Process' ||
        this.#sent.has(key) ||
        chain.has(key) ||
        chain.size > maxAncestry
      )
        break;
      chain.add(key);
      oid = known.poid;
    }
    for (const key of [...chain].reverse()) {
      const known = this.#kept.get(key)?.record;
      if (known?.type === 'Process') container(known.containerId);
      need(key);
    }
    for (const oid of filesOf(record)) {
      const known = this.#kept.get(`file ${oid}`)?.record;
      if (known?.type === 'File') container(known.containerId);
      need(`file ${oid}`);
    }
    return missing;
  }
}

function filesOf(record: SysFlowRecord): string[] {
  if (record.type === 'FileFlow') return [record.fileOID];
  if (record.type === 'FileEvent')
    return record.newFileOID === null ? [record.fileOID] : [record.fileOID, record.newFileOID];
  return [];
}

function keyOfEnded(ended: Exclude<EndedRecord, { entity: 'files' }>): string {
  return ended.entity === 'process'
    ? `process ${processKey(ended.oid)}`
    : `${ended.entity} ${ended.id}`;
}

const isFile = (key: string) => key.startsWith('file ');

function keyOf(record: SysFlowRecord): string | undefined {
  switch (record.type) {
    case 'Header':
      return 'header';
    case 'Pod':
      return `pod ${record.id}`;
    case 'Container':
      return `container ${record.id}`;
    case 'Process':
      return `process ${processKey(record.oid)}`;
    case 'File':
      return `file ${record.oid}`;
    default:
      return undefined;
  }
}

/** The same entity with the state REUP; the state is the first field after the branch number. */
function again(datum: Datum): Datum {
  if (datum.record.type !== 'Process' && datum.record.type !== 'File') return datum;
  const reup = 2 << 1;
  const bytes = Buffer.from(datum.bytes);
  bytes[1] = reup;
  return { record: { ...datum.record, state: 'REUP' }, bytes };
}
