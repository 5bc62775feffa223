import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBResult,
  DuckDBValue,
  DuckDBVector,
} from '@duckdb/node-api';
import { physicalColumns } from '../duckdb/database.js';
import { ColumnBatch } from '../engine/batch.js';
import type { TableColumn, TableName } from '../engine/columns.gen.js';
import type { ColumnData } from '../engine/session.js';

/** Some rows of a result. */
interface Page {
  /** Keeps the memory of the vectors alive. */
  chunk: DuckDBDataChunk;
  vectors: DuckDBVector[];
  rows: number;
}

/** Iterates over the rows of one SELECT, with one chunk in memory. */
export class RowCursor {
  readonly #connection: DuckDBConnection;
  readonly #result: DuckDBResult;
  readonly #places: ReadonlyMap<string, number>;
  #page: Page | undefined;
  #row = 0;

  private constructor(connection: DuckDBConnection, result: DuckDBResult) {
    this.#connection = connection;
    this.#result = result;
    this.#places = new Map(result.columnNames().map((name, index) => [name, index]));
  }

  /** A stream needs its own connection, which the cursor closes. */
  static async open(connection: DuckDBConnection, sql: string): Promise<RowCursor> {
    return new RowCursor(connection, await connection.stream(sql));
  }

  /** Advances to the next row; false after the last. */
  async next(): Promise<boolean> {
    if (++this.#row < (this.#page?.rows ?? 0)) return true;
    const chunk = await this.#result.fetchChunk();
    this.#row = 0;
    this.#page = undefined;
    if (chunk === null || chunk.rowCount === 0) return false;
    const vectors = Array.from({ length: chunk.columnCount }, (_, index) =>
      chunk.getColumnVector(index),
    );
    this.#page = { chunk, vectors, rows: chunk.rowCount };
    return true;
  }

  /** A value of the row; null if the SELECT has no such column. */
  get(name: string): DuckDBValue {
    const place = this.#places.get(name);
    return place === undefined ? null : this.#value(place);
  }

  /** A function that reads a column without looking up its name each time. */
  reader(name: string): () => DuckDBValue {
    const place = this.#places.get(name);
    return place === undefined ? () => null : () => this.#value(place);
  }

  #value(place: number): DuckDBValue {
    return this.#page?.vectors[place]?.getItem(this.#row) ?? null;
  }

  text(name: string): string {
    return (this.get(name) ?? '') as string;
  }

  number(name: string): number {
    return Number(this.get(name) ?? 0);
  }

  long(name: string): bigint {
    return (this.get(name) ?? 0n) as bigint;
  }

  close(): void {
    this.#connection.closeSync();
  }
}

/** Merges cursors by the `idx` of their rows; without `idx` it concatenates them. */
export class MergedRows {
  readonly #waiting: { cursor: RowCursor; idx: bigint }[] = [];
  readonly #cursors: readonly RowCursor[];
  #current: RowCursor | undefined;
  #hasStarted = false;

  constructor(cursors: readonly RowCursor[]) {
    this.#cursors = cursors;
  }

  /** Returns the cursor that is on the next row. */
  async next(): Promise<RowCursor | undefined> {
    if (!this.#hasStarted) {
      this.#hasStarted = true;
      for (const cursor of this.#cursors) await this.#advance(cursor);
    } else if (this.#current !== undefined) {
      await this.#advance(this.#current);
    }
    let first = 0;
    for (let index = 1; index < this.#waiting.length; index++) {
      if ((this.#waiting[index]?.idx as bigint) < (this.#waiting[first]?.idx as bigint))
        first = index;
    }
    this.#current = this.#waiting.splice(first, 1)[0]?.cursor;
    return this.#current;
  }

  close(): void {
    for (const cursor of this.#cursors) cursor.close();
  }

  async #advance(cursor: RowCursor): Promise<void> {
    if (await cursor.next()) this.#waiting.push({ cursor, idx: cursor.long('idx') });
  }
}

/** Bytes of distinct text after which a batch is full. */
const maxBatchText = 16 * 2 ** 20;
const maxBatchRows = 8192;

/** Builds batches of a table, like those of the engine, from rows of any cursors. */
export class BatchBuilder {
  readonly #table: TableName;
  readonly #columns: readonly TableColumn[];
  readonly #readers = new WeakMap<RowCursor, (() => DuckDBValue)[]>();
  #values: DuckDBValue[][] = [];
  #rows = 0;
  #strings = new Map<string, number>();
  #text = 0;

  constructor(table: TableName) {
    this.#table = table;
    this.#columns = physicalColumns(table);
    this.#clear();
  }

  get isEmpty(): boolean {
    return this.#rows === 0;
  }

  get isFull(): boolean {
    return this.#rows >= maxBatchRows || this.#text >= maxBatchText;
  }

  add(cursor: RowCursor): void {
    let readers = this.#readers.get(cursor);
    if (readers === undefined) {
      readers = this.#columns.map(({ name }) => cursor.reader(name));
      this.#readers.set(cursor, readers);
    }
    for (let index = 0; index < readers.length; index++) {
      let value = (readers[index] as () => DuckDBValue)();
      if (typeof value === 'string') value = this.#numberOf(value);
      (this.#values[index] as DuckDBValue[])[this.#rows] = value;
    }
    this.#rows += 1;
  }

  take(): ColumnBatch {
    const rows = this.#rows;
    const batch = new ColumnBatch({
      kind: 'columns',
      file: 0,
      startSeconds: 0,
      table: this.#table,
      rows,
      strings: encodeTexts([...this.#strings.keys()]),
      columns: this.#columns.map(({ type }, index) =>
        toColumn(this.#values[index] as DuckDBValue[], type, rows),
      ),
    });
    this.#clear();
    return batch;
  }

  #numberOf(text: string): number {
    let number = this.#strings.get(text);
    if (number === undefined) {
      number = this.#strings.size;
      this.#strings.set(text, number);
      this.#text += text.length;
    }
    return number;
  }

  #clear(): void {
    this.#values = this.#columns.map(() => []);
    this.#rows = 0;
    this.#strings = new Map();
    this.#text = 0;
  }
}

function toColumn(
  items: readonly DuckDBValue[],
  type: TableColumn['type'],
  rows: number,
): ColumnData {
  const values =
    type === 'i64'
      ? new BigInt64Array(rows)
      : type === 'str'
        ? new Uint32Array(rows)
        : type === 'bool'
          ? new Uint8Array(rows)
          : new Int32Array(rows);
  const valid = new Uint8Array(Math.ceil(rows / 8));
  for (let row = 0; row < rows; row++) {
    const item = items[row];
    if (item === null || item === undefined) continue;
    values[row] = (typeof item === 'boolean' ? Number(item) : item) as never;
    valid[row >> 3] = (valid[row >> 3] as number) | (1 << (row & 7));
  }
  return { values, valid };
}

function encodeTexts(texts: readonly string[]): { offsets: Uint32Array; bytes: Uint8Array } {
  const encoded = texts.map((text) => Buffer.from(text));
  const offsets = new Uint32Array(encoded.length + 1);
  encoded.forEach((text, index) => {
    offsets[index + 1] = (offsets[index] as number) + text.byteLength;
  });
  return { offsets, bytes: new Uint8Array(Buffer.concat(encoded)) };
}
