import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { SfkitError } from '../engine/errors.js';
import { FlatTable } from './flatbuffer.js';

// Checks the frames of an Arrow file or stream before a library parses them. No count or length
// exceeds the bytes present, so parsing costs no more than the file's size makes plausible.

/** Type numbers in Schema.fbs. */
const typeNumbers = {
  Null: 1,
  Int: 2,
  Float: 3,
  Binary: 4,
  Utf8: 5,
  Bool: 6,
  Decimal: 7,
  Date: 8,
  Time: 9,
  Timestamp: 10,
  Interval: 11,
  List: 12,
  Struct: 13,
  Union: 14,
  FixedSizeBinary: 15,
  FixedSizeList: 16,
  Map: 17,
  Duration: 18,
  LargeBinary: 19,
  LargeUtf8: 20,
  LargeList: 21,
  BinaryView: 23,
  Utf8View: 24,
} as const;

const headers = { schema: 1, dictionary: 2, batch: 3 } as const;
const codecs = { lz4: 0, zstd: 1 } as const;

/** Maximum levels of nested types. */
const maxDepth = 16;
/** Maximum columns, including nested ones. */
const maxFields = 4096;
/** Maximum parts of a dictionary: for each part, the library copies the list of parts. */
const maxDeltas = 1024;
/** Maximum decompressed bytes: this number for any file, or this multiple of the file's size. */
const freeBytes = 64 * 2 ** 20;
const maxRatio = 256;
/** Maximum ratio for values that rows share: each row gets a copy. */
const maxSharedRatio = 64;
/** Limits for data in memory at the same time: one batch, and all dictionaries. */
const maxBatchRatio = 16;
const maxBatchBytes = 256 * 2 ** 20;
const maxDictionaryRatio = 32;
/** Rows that a batch can always have, even without a bit for each. */
const freeRows = 1024;
/** Maximum values: this number in any file, plus this number per byte. Some types need no bytes. */
const freeCells = 2 ** 24;
const maxCellsPerByte = 16;

/** The properties of a type that determine its buffers. */
interface Layout {
  type: number;
  /** Bits of a value, for types of fixed width. */
  bits: number;
  /** Values of a fixed-size list; 1 for a dense union. */
  size: number;
  children: Layout[];
}

/** A message with its body, as in a stream. */
export interface Frame {
  kind: 'schema' | 'dictionary' | 'batch';
  bytes: Uint8Array;
}

export interface ArrowFrames {
  /**
   * Reads the frames, the schema first. A batch can precede a dictionary if it has only nulls of
   * it.
   */
  read(): Generator<Frame>;
  /** Budget for values that rows share, in bytes. */
  maxText: number;
  close(): void;
}

/**
 * Opens an Arrow file or stream. `problem` converts the reason of a fault to the error to throw.
 */
export function openFrames(path: string, problem: (reason: string) => SfkitError): ArrowFrames {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw new SfkitError(
      'INPUT_UNREADABLE',
      `cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`,
      {
        cause: error,
      },
    );
  }
  const size = fstatSync(descriptor).size;
  return {
    maxText: freeBytes + maxSharedRatio * size,
    *read() {
      try {
        yield* new FrameReader(descriptor, size).read();
      } catch (error) {
        throw error instanceof SfkitError ? error : problem((error as Error).message);
      }
    },
    close: () => closeSync(descriptor),
  };
}

function tooLarge(what: string, ratio: number): Error {
  return new Error(`${what} more than ${ratio} times the bytes of the file`);
}

const magic = Buffer.from('ARROW1');

class FrameReader {
  readonly #descriptor: number;
  readonly #size: number;
  #fields: Layout[] | undefined;
  readonly #dictionaries = new Map<number, { layout: Layout; deltas: number }>();
  /** Remaining budgets: decompressed bytes, dictionary bytes, and values. */
  readonly #left: { bytes: number; dictionaryBytes: number; cells: number };

  constructor(descriptor: number, size: number) {
    this.#descriptor = descriptor;
    this.#size = size;
    this.#left = {
      bytes: freeBytes + maxRatio * size,
      dictionaryBytes: freeBytes + maxDictionaryRatio * size,
      cells: freeCells + maxCellsPerByte * size,
    };
  }

  *read(): Generator<Frame> {
    if (this.#bytes(0, 6).equals(magic)) yield* this.#file();
    else yield* this.#stream(0);
  }

  *#stream(start: number): Generator<Frame> {
    for (let at = start; ; ) {
      const frame = this.#frame(at, this.#size);
      if (frame === undefined) break;
      yield frame;
      at = frame.end;
    }
    if (this.#fields === undefined) throw new Error('it has no schema');
  }

  *#file(): Generator<Frame> {
    const tail = this.#size - 10;
    if (tail < 8 || !this.#bytes(tail + 4, 6).equals(magic))
      throw new Error('the file is truncated: its footer is missing');
    const length = this.#bytes(tail, 4).readInt32LE(0);
    const footerStart = tail - length;
    if (length <= 0 || footerStart < 8)
      throw new Error(`the length of its footer is impossible: ${length}`);
    const footerBytes = this.#bytes(footerStart, length);
    const footer = FlatTable.root(footerBytes);
    yield this.#schemaOf(footer, footerBytes);
    const blocks = [...footer.blocks(2), ...footer.blocks(3)];
    const ends = new Map<number, number>();
    let before = 8;
    // Blocks must not overlap: otherwise a small file could have any number of large blocks.
    for (const { offset } of [...blocks].sort((left, right) => left.offset - right.offset)) {
      if (offset < before) throw new Error(`two of its blocks share byte ${offset}`);
      before = this.#frameEnd(offset, footerStart);
      ends.set(offset, before);
    }
    for (const { offset } of blocks) {
      const frame = this.#frame(offset, ends.get(offset) as number);
      if (frame === undefined || frame.kind === 'schema')
        throw new Error(`the block at byte ${offset} has no data`);
      yield frame;
    }
  }

  /** Builds a schema message from the footer: not every writer also puts one before the data. */
  #schemaOf(footer: FlatTable, footerBytes: Buffer): Frame {
    const schema = footer.table(1);
    if (schema === undefined) throw new Error('its footer has no schema');
    const version = footer.integer(0, 2);
    checkVersion(version);
    this.#schema(schema);
    // A message followed by the footer: [position] [layout: version, kind, header] [fields].
    const message = Buffer.alloc(32);
    message.writeUInt32LE(16, 0);
    [10, 12, 8, 10, 4].forEach((value, index) => {
      message.writeUInt16LE(value, 4 + 2 * index);
    });
    message.writeInt32LE(12, 16);
    message.writeUInt32LE(32 + schema.position - 20, 20);
    message.writeInt16LE(version, 24);
    message.writeUInt8(headers.schema, 26);
    const prefix = Buffer.alloc(8);
    prefix.writeInt32LE(-1, 0);
    prefix.writeInt32LE(message.length + footerBytes.length, 4);
    return { kind: 'schema', bytes: Buffer.concat([prefix, message, footerBytes]) };
  }

  #frameEnd(at: number, limit: number): number {
    const head = this.#head(at, limit);
    if (head === undefined) throw new Error(`the block at byte ${at} is empty`);
    return head.bodyStart + head.body;
  }

  /** The message at a position; undefined at the end of a stream. */
  #head(at: number, limit: number) {
    if (at === limit) return undefined;
    if (at + 4 > limit) throw new Error(`truncated at byte ${this.#size}: a message starts there`);
    let start = at + 4;
    let length = this.#bytes(at, 4).readInt32LE(0);
    // Before version 0.15 the length had no prefix.
    if (length === -1) {
      if (at + 8 > limit)
        throw new Error(`truncated at byte ${this.#size}: a message starts there`);
      length = this.#bytes(at + 4, 4).readInt32LE(0);
      start = at + 8;
    }
    if (length === 0) return undefined;
    if (length < 0 || start + length > limit)
      throw new Error(`the message at byte ${at} is longer than the file`);
    const metadata = this.#bytes(start, length);
    const message = FlatTable.root(metadata);
    const body = message.long(3);
    const bodyStart = start + length;
    if (body < 0 || bodyStart + body > limit)
      throw new Error(`the body at byte ${bodyStart} is longer than the file`);
    return { metadata, message, bodyStart, body };
  }

  #frame(at: number, limit: number): (Frame & { end: number }) | undefined {
    const head = this.#head(at, limit);
    if (head === undefined) return undefined;
    const { metadata, message, bodyStart, body } = head;
    const version = message.integer(0, 2);
    checkVersion(version);
    const header = message.table(2);
    if (header === undefined) throw new Error(`the message at byte ${at} has no header`);
    this.#checkTexts(message, 4);
    // Values must start at a multiple of 8. Files from before version 0.15 have a shorter message
    // header.
    const start = 8 + 8 * Math.ceil(metadata.length / 8);
    const bytes = Buffer.alloc(start + body);
    bytes.writeInt32LE(-1, 0);
    bytes.writeInt32LE(start - 8, 4);
    bytes.set(metadata, 8);
    this.#read(bytes.subarray(start), bodyStart);
    const kind = this.#check(header, message.integer(1, 1), bytes.subarray(start), version + 1);
    return { kind, bytes, end: bodyStart + body };
  }

  #check(header: FlatTable, number: number, body: Buffer, version: number): Frame['kind'] {
    if (number === headers.schema) {
      this.#schema(header);
      return 'schema';
    }
    const fields = this.#fields;
    if (fields === undefined) throw new Error('data comes before the schema');
    if (number === headers.dictionary) {
      const id = header.long(0);
      const dictionary = this.#dictionaries.get(id);
      const data = header.table(1);
      if (dictionary === undefined || data === undefined)
        throw new Error(`no column has the dictionary ${id}`);
      dictionary.deltas = header.integer(2, 1) === 0 ? 0 : dictionary.deltas + 1;
      if (dictionary.deltas > maxDeltas)
        throw new Error(`dictionary ${id} comes in more than ${maxDeltas} parts`);
      this.#left.dictionaryBytes -= this.#batch(data, [dictionary.layout], body, version);
      if (this.#left.dictionaryBytes < 0)
        throw tooLarge('its dictionaries hold', maxDictionaryRatio);
      return 'dictionary';
    }
    if (number !== headers.batch) throw new Error(`expected a batch, found message type ${number}`);
    this.#batch(header, fields, body, version);
    return 'batch';
  }

  #schema(schema: FlatTable): void {
    if (this.#fields !== undefined) throw new Error('it has two schemas');
    if (schema.integer(0, 2) !== 0)
      throw new Error('its numbers are big-endian, which is unsupported');
    let count = 0;
    const layoutOf = (field: FlatTable, depth: number): Layout => {
      if (++count > maxFields) throw new Error(`it has more than ${maxFields} columns`);
      if (depth > maxDepth) throw new Error(`its types are nested more than ${maxDepth} deep`);
      field.text(0);
      this.#checkTexts(field, 6);
      const own = ownLayout(field);
      own.children = field.tables(5).map((child) => layoutOf(child, depth + 1));
      checkChildren(own);
      const dictionary = field.table(4);
      if (dictionary === undefined) return own;
      const id = dictionary.long(0);
      const known = this.#dictionaries.get(id);
      // The library uses the first type that it finds.
      if (known === undefined) this.#dictionaries.set(id, { layout: own, deltas: 0 });
      else if (!isSame(known.layout, own)) throw new Error(`dictionary ${id} has two types`);
      const index = dictionary.table(1)?.integer(0, 4) ?? 32;
      if (![8, 16, 32, 64].includes(index))
        throw new Error(`its dictionary indexes have ${index} bits`);
      return { type: typeNumbers.Int, bits: index, size: 0, children: [] };
    };
    this.#fields = schema.tables(1).map((field) => layoutOf(field, 0));
    this.#checkTexts(schema, 2);
  }

  /** Checks the key-value metadata: the library reads all of it. */
  #checkTexts(table: FlatTable, field: number): void {
    for (const entry of table.tables(field)) {
      entry.text(0);
      entry.text(1);
    }
  }

  /** Checks a batch. Returns the decompressed size of its compressed buffers. */
  #batch(batch: FlatTable, fields: readonly Layout[], body: Buffer, version: number): number {
    const rows = batch.long(0);
    const { sizes, grown } = this.#bufferSizes(batch, body);
    this.#left.bytes -= grown;
    const maxRows = freeRows + 8 * sizes.reduce((sum, size) => sum + size, 0);
    const columns = new BatchColumns(batch, sizes, maxRows, version, this.#left);
    if (rows < 0 || rows > maxRows)
      throw new Error(`a batch has ${rows} rows, more than its bytes can hold`);
    for (const field of fields) {
      const length = columns.check(field);
      if (length !== rows) throw new Error(`a batch of ${rows} rows has a column of ${length}`);
    }
    return grown;
  }

  /** Decompressed size of each buffer, and the total size of the compressed ones. */
  #bufferSizes(batch: FlatTable, body: Buffer): { sizes: number[]; grown: number } {
    const buffers = batch.longs(2, 2) as [number, number][];
    const codec = batch.table(3)?.integer(0, 1);
    if (codec !== undefined && codec !== codecs.lz4 && codec !== codecs.zstd)
      throw new Error(`its codec ${codec} is unknown`);
    let used = 0;
    let grown = 0;
    const sizes = buffers.map(([offset, length]) => {
      if (offset < 0 || length < 0 || offset + length > body.length)
        throw new Error('a buffer lies outside its message');
      used += length;
      // Otherwise columns could share bytes, and a few bytes could become many columns.
      if (used > body.length) throw new Error('its buffers share bytes');
      if (codec === undefined || length === 0) return length;
      if (length < 8) throw new Error('a compressed buffer has no size');
      const announced = Number(body.readBigInt64LE(offset));
      const size = announced === -1 ? length - 8 : announced;
      if (size < 0) throw new Error(`a compressed buffer has the impossible size ${announced}`);
      if (announced !== -1) grown += size;
      if (grown > this.#left.bytes) throw tooLarge('its compressed buffers hold', maxRatio);
      if (grown > maxBatchBytes + maxBatchRatio * this.#size)
        throw tooLarge('one batch holds', maxBatchRatio);
      return size;
    });
    return { sizes, grown };
  }

  #bytes(start: number, length: number): Buffer {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.#size - start)));
    this.#read(bytes, start);
    return bytes;
  }

  #read(bytes: Uint8Array, start: number): void {
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(
        this.#descriptor,
        bytes,
        done,
        Math.min(bytes.length - done, 2 ** 30),
        start + done,
      );
      if (count === 0) throw new Error('the file shrank during reading');
      done += count;
    }
  }
}

/** Checks the columns of a batch, in order, against its nodes and buffers. */
class BatchColumns {
  readonly #nodes: readonly [number, number][];
  readonly #variadic: readonly number[];
  readonly #sizes: readonly number[];
  readonly #maxRows: number;
  readonly #version: number;
  readonly #left: { cells: number };
  #node = 0;
  #buffer = 0;
  #nextVariadic = 0;

  /** `left`: values that the file may still contain. */
  constructor(
    batch: FlatTable,
    sizes: readonly number[],
    maxRows: number,
    version: number,
    left: { cells: number },
  ) {
    this.#nodes = batch.longs(1, 2) as [number, number][];
    this.#variadic = batch.longs(4, 1).map(([count]) => count as number);
    this.#sizes = sizes;
    this.#maxRows = maxRows;
    this.#version = version;
    this.#left = left;
  }

  /** Checks the next column. Returns its number of rows. */
  check(layout: Layout): number {
    const [length, nulls] = this.#nodes[this.#node++] ?? [-1, 0];
    if (length < 0) throw new Error('a batch has fewer columns than the schema');
    if (length > this.#maxRows)
      throw new Error(`a column has ${length} rows, more than its bytes can hold`);
    if (nulls < 0 || nulls > length) throw new Error(`${nulls} of ${length} rows are null`);
    this.#left.cells -= length;
    if (this.#left.cells < 0)
      throw new Error('it has more values than the size of the file makes plausible');
    const bitmap = () => this.#takeBuffer(nulls > 0 ? Math.ceil(length / 8) : 0);
    const { type, bits, size, children } = layout;
    const [first] = children;
    switch (type) {
      case typeNumbers.Null:
        break;
      case typeNumbers.Utf8:
      case typeNumbers.Binary:
      case typeNumbers.LargeUtf8:
      case typeNumbers.LargeBinary: {
        const width = type === typeNumbers.Utf8 || type === typeNumbers.Binary ? 4 : 8;
        bitmap();
        this.#takeBuffer(length === 0 ? 0 : (length + 1) * width);
        this.#takeBuffer(0);
        break;
      }
      case typeNumbers.Utf8View:
      case typeNumbers.BinaryView: {
        bitmap();
        this.#takeBuffer(length * 16);
        const count = this.#variadic[this.#nextVariadic++] ?? 0;
        if (count < 0 || count > this.#sizes.length)
          throw new Error(`a column has ${count} buffers of text`);
        for (let index = 0; index < count; index++) this.#takeBuffer(0);
        break;
      }
      case typeNumbers.List:
      case typeNumbers.LargeList:
      case typeNumbers.Map:
        bitmap();
        this.#takeBuffer(
          length === 0 ? 0 : (length + 1) * (type === typeNumbers.LargeList ? 8 : 4),
        );
        this.check(first as Layout);
        break;
      case typeNumbers.FixedSizeList:
        bitmap();
        if (this.check(first as Layout) < length * size)
          throw new Error('a list has fewer values than its rows need');
        break;
      case typeNumbers.Struct:
        bitmap();
        for (const child of children) {
          if (this.check(child) < length)
            throw new Error('a member has fewer rows than its struct');
        }
        break;
      case typeNumbers.Union:
        if (this.#version < 5) bitmap();
        this.#takeBuffer(length);
        if (size === 1) this.#takeBuffer(length * 4);
        for (const child of children) {
          if (this.check(child) < (size === 1 ? 0 : length))
            throw new Error('a member has fewer rows than its union');
        }
        break;
      default:
        bitmap();
        this.#takeBuffer(Math.ceil((length * bits) / 8));
    }
    return length;
  }

  #takeBuffer(bytes: number): void {
    const size = this.#sizes[this.#buffer++];
    if (size === undefined) throw new Error('a batch has fewer buffers than its columns need');
    if (size < bytes) throw new Error(`a buffer has ${size} bytes where its rows need ${bytes}`);
  }
}

function checkVersion(version: number): void {
  if (version !== 3 && version !== 4)
    throw new Error(`expected metadata of version 4 or 5, found ${version + 1}`);
}

function ownLayout(field: FlatTable): Layout {
  const type = field.integer(2, 1);
  const details = field.table(3);
  const layout = (bits: number, size = 0): Layout => ({ type, bits, size, children: [] });
  const width = (index: number, fallback: number, allowed: readonly number[]): Layout => {
    const bits = details?.integer(index, 4, fallback) ?? fallback;
    if (!allowed.includes(bits)) throw new Error(`a column has numbers of ${bits} bits`);
    return layout(bits);
  };
  const choice = (fallback: number, of: readonly number[]): Layout => {
    const unit = details?.integer(0, 2, fallback) ?? fallback;
    const bits = of[unit];
    if (bits === undefined) throw new Error(`a column has the unknown unit ${unit}`);
    return layout(bits, unit);
  };
  switch (type) {
    case typeNumbers.Int:
      return width(0, 0, [8, 16, 32, 64]);
    case typeNumbers.Float:
      return choice(0, [16, 32, 64]);
    case typeNumbers.Bool:
      return layout(1);
    case typeNumbers.Decimal:
      return width(2, 128, [128]);
    case typeNumbers.Date:
      return choice(1, [32, 64]);
    case typeNumbers.Time: {
      const { size } = choice(1, [32, 32, 64, 64]);
      const time = width(1, 32, [32, 64]);
      if (time.bits !== (size < 2 ? 32 : 64))
        throw new Error(`a column has times of ${time.bits} bits`);
      return time;
    }
    case typeNumbers.Timestamp:
      details?.text(1);
      return choice(0, [64, 64, 64, 64]);
    case typeNumbers.Duration:
      return choice(1, [64, 64, 64, 64]);
    case typeNumbers.Interval:
      return choice(0, [32, 64, 128]);
    case typeNumbers.FixedSizeBinary: {
      const bytes = details?.integer(0, 4) ?? 0;
      if (bytes <= 0 || bytes > 2 ** 20) throw new Error(`a column has values of ${bytes} bytes`);
      return layout(8 * bytes);
    }
    case typeNumbers.FixedSizeList: {
      const size = details?.integer(0, 4) ?? 0;
      if (size <= 0 || size > 2 ** 20) throw new Error(`a column has lists of ${size} values`);
      return layout(0, size);
    }
    case typeNumbers.Union: {
      const mode = details?.integer(0, 2) ?? 0;
      if (mode !== 0 && mode !== 1)
        throw new Error(`a column is a union of the unknown mode ${mode}`);
      details?.vector(1, 4);
      return layout(0, mode);
    }
    default:
      if (!(Object.values(typeNumbers) as number[]).includes(type))
        throw new Error(`a column has the unsupported type ${type}`);
      return layout(0);
  }
}

function checkChildren({ type, children }: Layout): void {
  const isNested = ([typeNumbers.Struct, typeNumbers.Union] as number[]).includes(type);
  const isList = (
    [
      typeNumbers.List,
      typeNumbers.LargeList,
      typeNumbers.FixedSizeList,
      typeNumbers.Map,
    ] as number[]
  ).includes(type);
  if (isList && children.length !== 1)
    throw new Error(`a list has ${children.length} kinds of values`);
  if (!isList && !isNested && children.length > 0)
    throw new Error('a column has members that its type does not have');
  const [entry] = children;
  if (
    type === typeNumbers.Map &&
    (entry?.type !== typeNumbers.Struct || entry.children.length !== 2)
  ) {
    throw new Error('a map has no keys and values');
  }
}

function isSame(left: Layout, right: Layout): boolean {
  return (
    left.type === right.type &&
    left.bits === right.bits &&
    left.size === right.size &&
    left.children.length === right.children.length &&
    left.children.every((child, index) => isSame(child, right.children[index] as Layout))
  );
}
