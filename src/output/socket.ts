import { setTimeout as sleep } from 'node:timers/promises';
import { loadAddon, type SeqpacketSocket } from '../engine/addon.js';
import type { Datum } from '../records/decode.js';
import { processKey } from '../records/entities.js';
import type { EndedRecord, SysFlowRecord } from '../records/types.js';
import type { Log } from './log.js';

/** How many records wait, and how long, for a reader that is not there. */
export interface SocketLimits {
  /** Records that are kept; what comes on top is dropped and counted. */
  queue: number;
  /** The same in bytes. */
  queueBytes: number;
  /** Milliseconds after which a connection is tried again; each failure doubles them. */
  retry: number;
  /** The longest of these pauses. */
  longestRetry: number;
  /** Milliseconds that the end of a run waits for a reader that takes nothing of what is still queued. */
  linger: number;
}

export const defaultLimits: SocketLimits = {
  queue: 65_536,
  queueBytes: 64 << 20,
  retry: 50,
  longestRetry: 5_000,
  linger: 10_000,
};

/** More ancestors than this are made up. */
const deepestAncestry = 4096;

/** Milliseconds between two looks at a reader that is behind. */
const pause = 2;

/**
 * Sends records to a unix socket of kind SOCK_SEQPACKET, one a message. When the reader goes away, records are kept until
 * it is back. A new reader gets the header and every entity again before the first record that refers to it, and what the
 * one before had not read from the socket; so a record can come twice, but within the bound of the queue none is lost.
 */
export class SocketWriter {
  readonly #path: string;
  readonly #log: Log;
  readonly #limits: SocketLimits;
  readonly #socket: SeqpacketSocket = new (loadAddon().SeqpacketSocket)();
  readonly #queue = new Fifo();
  /** Sent, but perhaps not read yet. */
  #unread: Queued[] = [];
  /** Those since the last header that was taken. */
  #entities = new Entities();
  /** Counts the readers, each of which knows nothing of what the ones before were told. */
  #reader = 1;
  /** What goes when everything that was taken before is read. */
  #gone: Going[] = [];
  #taken = 0;
  #connected = false;
  #problem = '';
  #retryAt = 0;
  #retryAfter: number;
  /** When the reader took something last, or the end was asked for. */
  #progressAt = 0;
  #ends = false;
  dropped = 0;
  droppedIpv6 = 0;
  sent = 0;

  constructor(path: string, log: Log, limits: SocketLimits = defaultLimits) {
    this.#path = path;
    this.#log = log;
    this.#limits = limits;
    this.#retryAfter = limits.retry;
  }

  /** Takes the next record. Waits while the reader is behind, not while there is none, nor, after end(), for ever. */
  async write({ record, bytes }: Datum): Promise<void> {
    if (record.type === 'NetworkFlow' && record.family === 6) {
      // The schema has no place for these addresses.
      this.droppedIpv6 += 1;
      return;
    }
    // The batch that the bytes are of goes away.
    const datum = { record, bytes: Buffer.from(bytes) };
    // What follows a header makes sense without what came before; what is queued still needs that.
    if (record.type === 'Header') this.#entities = new Entities();
    const number = ++this.#taken;
    const isEntity = this.#entities.keep(datum, number);
    if (this.#queue.length < this.#limits.queue && this.#queue.bytes < this.#limits.queueBytes) {
      this.#queue.push({ datum, entities: this.#entities, number });
    } else if (isEntity) {
      // It is kept beside the queue and sent with what refers to it.
      this.#entities.markMissing(datum);
    } else {
      this.dropped += 1;
    }
    while (this.#flush() === 'busy' && !this.#hasWaited()) await sleep(pause);
  }

  /** The run shall end: a reader that takes nothing any more does not keep it up. */
  end(): void {
    if (this.#ends) return;
    this.#ends = true;
    this.#progressAt = Date.now();
  }

  /** Sends what is queued, waiting a while for a reader that is not there, and closes. What remains is dropped and counted. */
  async close(): Promise<void> {
    this.end();
    while ((this.#flush() !== 'done' || this.#waitsForReader()) && !this.#hasWaited()) await sleep(pause);
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

  /** Lets go what will not be referred to again. */
  forget(gone: EndedRecord): void {
    const entities = this.#entities;
    // What came behind everything that is under way, nothing of that refers to.
    const newest = (this.#queue.last() ?? this.#unread.at(-1))?.number ?? 0;
    entities.forget(gone, newest, this.#taken);
    if (gone.entity === 'files')
      this.#gone = this.#gone.filter((other) => other.gone.entity !== 'files' || other.entities !== entities);
    if (gone.entity === 'files' || entities.has(keyOfGone(gone)))
      this.#gone.push({ gone, after: this.#taken, entities });
    this.#letGo();
  }

  /** Whether the end has waited for the reader as long as it may. */
  #hasWaited(): boolean {
    return this.#ends && Date.now() - this.#progressAt > this.#limits.linger;
  }

  #letGo(): void {
    const oldest = (this.#unread[0] ?? this.#queue.first())?.number ?? Number.POSITIVE_INFINITY;
    while (this.#gone.length > 0 && (this.#gone[0] as Going).after < oldest) {
      const { gone, after, entities } = this.#gone.shift() as Going;
      entities.forget(gone, 0, after);
    }
  }

  #waitsForReader(): boolean {
    if (this.#queue.length > 0) return true;
    this.#settle();
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
        this.#settle();
        if (!this.#connected) return 'away';
      }
    }
    this.#settle();
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
        `${this.#path}: a record of ${datum.bytes.length} bytes is longer than a message may be`,
      );
    } else {
      this.sent += 1;
      this.#progressAt = Date.now();
      this.#unread.push(queued);
    }
    entities.markSent(datum);
    return 'sent';
  }

  /** Forgets what was read. */
  #settle(): void {
    const most = this.#socket.unread();
    if (this.#unread.length > most) {
      this.#unread = most === 0 ? [] : this.#unread.slice(-most);
      this.#progressAt = Date.now();
    }
    this.#letGo();
    if (this.#connected && this.#unread.length > 0 && this.#socket.hasEnded()) this.#lose();
  }

  #lose(): void {
    this.#connected = false;
    this.#socket.close();
    this.#log.warning('socket', `${this.#path}: the reader went away; records are kept until it is back`);
    // Entities come again by themselves, before what refers to them.
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
      const message = `cannot connect: ${(error as Error).message}; records are kept until it works`;
      // Once for each time that a reader is missing.
      if (this.#retryAfter === this.#limits.retry) this.#log.warning('socket', message);
      else this.#log.verbose(1, 'socket', message);
      this.#problem = (error as Error).message;
      this.#retryAt = Date.now() + this.#retryAfter;
      this.#retryAfter = Math.min(this.#retryAfter * 2, this.#limits.longestRetry);
      return false;
    }
    this.#connected = true;
    this.#retryAfter = this.#limits.retry;
    this.#log.info('socket', `${this.#path}: connected`);
    return true;
  }
}

function isEntityRecord({ type }: SysFlowRecord): boolean {
  return type === 'Header' || type === 'Container' || type === 'Process' || type === 'File' || type === 'Pod';
}

/** A record that waits, and what it can refer to. */
interface Queued {
  datum: Datum;
  entities: Entities;
  /** How many records had been taken, with this one or the one that needs it. */
  number: number;
}

interface Going {
  gone: EndedRecord;
  /** How many records had been taken. */
  after: number;
  entities: Entities;
}

/** Records in their order; taking the first costs the same however many there are. */
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

  /** Puts records in front of the others. */
  putBack(items: readonly Queued[]): void {
    this.#items = [...items, ...this.#items.slice(this.#head)];
    this.#head = 0;
    for (const { datum } of items) this.bytes += datum.bytes.length;
  }
}

/** What records behind a header refer to, as it was written last, and which of it the reader has. */
class Entities {
  #header: Datum | undefined;
  readonly #kept = new Map<string, Datum>();
  /** The last that the reader got of each. */
  readonly #sent = new Map<string, Datum>();
  /** How many records had been taken when each was told first and last. */
  readonly #told = new Map<string, { first: number; last: number }>();
  #reader = 0;

  /** Whether the record is one of them. `number`: how many had been taken with it. */
  keep(datum: Datum, number: number): boolean {
    const key = keyOf(datum.record);
    if (key === undefined) return false;
    if (datum.record.type === 'Header') this.#header = datum;
    this.#kept.set(key, datum);
    this.#told.set(key, { first: this.#told.get(key)?.first ?? number, last: number });
    return true;
  }

  /** To be called before the others: a new reader has nothing. */
  serve(reader: number): void {
    if (reader === this.#reader) return;
    const isFirst = this.#reader === 0;
    this.#reader = reader;
    this.#sent.clear();
    if (isFirst) return;
    for (const [key, datum] of this.#kept) this.#kept.set(key, again(datum));
  }

  /** Whether the reader has just this: records of events and flows are never asked for twice. */
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

  /** Lets entities go that were first told behind one number and last not behind another. */
  forget(gone: EndedRecord, behind: number, until: number): void {
    const keys = gone.entity === 'files' ? [...this.#kept.keys()].filter(isFile) : [keyOfGone(gone)];
    for (const key of keys) {
      const told = this.#told.get(key);
      if (told === undefined || told.first <= behind || told.last > until) continue;
      for (const map of [this.#kept, this.#sent, this.#told]) map.delete(key);
    }
  }

  /** The newest of it is not on its way: it is sent before what refers to it. */
  markMissing({ record }: Datum): void {
    this.#sent.delete(keyOf(record) as string);
  }

  /** What must be sent before a record, in this order: header, containers, ancestors before children, files. */
  missingFor(record: SysFlowRecord): ReadonlySet<Datum> {
    const missing = new Set<Datum>();
    const need = (key: string) => {
      const datum = this.#kept.get(key);
      if (datum !== undefined && !this.#sent.has(key)) missing.add(datum);
    };
    if (record.type === 'Header') return missing;
    if (this.#header !== undefined) need(keyOf(this.#header.record) as string);
    const container = (id: string | null) => id !== null && need(`container ${id}`);
    if (record.type === 'Process' || record.type === 'File') container(record.containerId);
    const first = record.type === 'Process' ? record.poid : 'procOID' in record ? record.procOID : null;
    const chain = new Set<string>();
    for (let oid = first; oid !== null; ) {
      const key = `process ${processKey(oid)}`;
      const known = this.#kept.get(key)?.record;
      if (known?.type !== 'Process' || this.#sent.has(key) || chain.has(key) || chain.size > deepestAncestry) break;
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

function keyOfGone(gone: Exclude<EndedRecord, { entity: 'files' }>): string {
  return gone.entity === 'container' ? `container ${gone.id}` : `process ${processKey(gone.oid)}`;
}

const isFile = (key: string) => key.startsWith('file ');

function keyOf(record: SysFlowRecord): string | undefined {
  switch (record.type) {
    case 'Header':
      return 'header';
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

/** The same entity as one that was known before (REUP): the state is the first field behind the number of the branch. */
function again(datum: Datum): Datum {
  if (datum.record.type !== 'Process' && datum.record.type !== 'File') return datum;
  const reup = 2 << 1;
  const bytes = Buffer.from(datum.bytes);
  bytes[1] = reup;
  return { record: { ...datum.record, state: 'REUP' }, bytes };
}
