import type { ColumnBatch } from '../engine/batch.js';
import type { Source } from './source.js';

// Rows of several inputs in the order of time. An input keeps its own order, in which a flow stands
// where it ended. Inputs are opened when their time comes.

/** An input that was looked at. */
export interface Candidate {
  /** Number of the input, as the user named it. */
  place: number;
  /** Time of its first row; undefined without rows or times. */
  first: bigint | undefined;
  open(): Promise<Source | undefined>;
  /** Called after the last row. */
  done(source: Source): Promise<void>;
}

/** Some rows of a batch: from one to before another. */
export interface Piece {
  batch: ColumnBatch;
  from: number;
  to: number;
}

/** Maximum inputs that are read at once. Of more inputs at a time, some come late. */
const maxOpen = 8;

const noTime = -(2n ** 63n);

/** The time at which a row was written: the end of a flow, or its only time. */
export function timeReader(batch: ColumnBatch): (row: number) => bigint {
  const readers = ['endts_uts', 'ts_uts'].flatMap((name) => {
    const column = batch.columns.find((one) => one.name === name);
    return column === undefined ? [] : [column];
  });
  return (row) => {
    for (const column of readers) if (column.isValid(row)) return column.values[row] as bigint;
    return noTime;
  };
}

/** Rows of an open input. Its time never goes back, although rows can be out of order. */
class Stream {
  readonly candidate: Candidate;
  readonly source: Source;
  batch: ColumnBatch | undefined;
  row = 0;
  time = noTime;
  #timeOf: (row: number) => bigint = () => noTime;

  constructor(candidate: Candidate, source: Source) {
    this.candidate = candidate;
    this.source = source;
  }

  /** Reads batches until there is a row; false at the end. */
  async fill(): Promise<boolean> {
    while (this.batch === undefined || this.row >= this.batch.rows) {
      this.batch = await this.source.next();
      if (this.batch === undefined) return false;
      this.row = 0;
      this.#timeOf = timeReader(this.batch);
    }
    this.#update();
    return true;
  }

  /** Takes rows up to a time, at least one. */
  take(until: bigint | undefined): Piece {
    const batch = this.batch as ColumnBatch;
    const from = this.row;
    if (until === undefined) this.row = batch.rows;
    else
      do {
        this.row += 1;
        if (this.row < batch.rows) this.#update();
      } while (this.row < batch.rows && this.time <= until);
    return { batch, from, to: this.row };
  }

  #update(): void {
    const time = this.#timeOf(this.row);
    if (time > this.time) this.time = time;
  }
}

/** The rows of all inputs. `signal`: once it is aborted, open inputs end. */
export async function* merged(
  candidates: readonly Candidate[],
  signal: AbortSignal,
): AsyncGenerator<Piece> {
  const pending = [...candidates].sort(byTime);
  const open: Stream[] = [];
  const stop = () => {
    for (const { source } of open) source.stop();
  };
  signal.addEventListener('abort', stop);
  try {
    for (;;) {
      const next = pending[0];
      const first = earliest(open);
      const isDue = first === undefined || (next?.first ?? first.time + 1n) <= first.time;
      if (next !== undefined && isDue && open.length < maxOpen && !signal.aborted) {
        pending.shift();
        const source = await next.open();
        if (source === undefined) continue;
        const stream = new Stream(next, source);
        open.push(stream);
        if (!(await stream.fill())) await end(stream, open);
        continue;
      }
      if (first === undefined) return;
      const others = open.filter((stream) => stream !== first).map(({ time }) => time);
      if (next?.first !== undefined && open.length < maxOpen) others.push(next.first);
      yield first.take(others.length === 0 ? undefined : minimum(others));
      if (!(await first.fill())) await end(first, open);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    for (const { source } of open) source.close();
  }
}

async function end(stream: Stream, open: Stream[]): Promise<void> {
  await stream.candidate.done(stream.source);
  open.splice(open.indexOf(stream), 1);
  stream.source.close();
}

function earliest(open: readonly Stream[]): Stream | undefined {
  return open.reduce<Stream | undefined>(
    (first, stream) =>
      first === undefined ||
      stream.time < first.time ||
      (stream.time === first.time && stream.candidate.place < first.candidate.place)
        ? stream
        : first,
    undefined,
  );
}

function minimum(times: readonly bigint[]): bigint {
  let least = times[0] as bigint;
  for (const time of times) if (time < least) least = time;
  return least;
}

/** Inputs without a time come last, in their own order. */
function byTime(one: Candidate, other: Candidate): number {
  if (one.first === other.first) return one.place - other.place;
  if (one.first === undefined) return 1;
  if (other.first === undefined) return -1;
  return one.first < other.first ? -1 : 1;
}
