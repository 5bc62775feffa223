// Decompresses zstd (RFC 8878) into buffers of an announced size. Each step writes bytes or reads
// some, so the time is linear in the input and the output.

/** A fault of compressed bytes. */
const damaged = (what: string) => new Error(`zstd: ${what}`);

const frameMagic = 0xfd2fb528;
/** Skippable frames have 16 magic numbers. */
const skippableMagic = 0x184d2a50;
/** Maximum size of the literals of a block, in bytes. */
const maxLiterals = 128 * 1024;
const maxHuffmanBits = 11;

const blockTypes = { raw: 0, repeated: 1, compressed: 2 } as const;
const literalTypes = { raw: 0, repeated: 1, compressed: 2 } as const;
const tableModes = { predefined: 0, single: 1, described: 2 } as const;

/**
 * Decompresses zstd frames to exactly `size` bytes. It never writes past them, whatever a frame
 * says.
 */
export function zstdDecompress(frames: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  let at = 0;
  let written = 0;
  while (at < frames.length) {
    need(frames, at, 4);
    const magic = littleEndian(frames, at, 4);
    if (magic === frameMagic) {
      const frame = new Frame(frames, at + 4, output, written);
      ({ at, written } = frame.read());
    } else if ((magic & ~15) >>> 0 === skippableMagic) {
      need(frames, at, 8);
      const length = littleEndian(frames, at + 4, 4);
      need(frames, at + 8, length);
      at += 8 + length;
    } else {
      throw damaged('no frame starts here');
    }
  }
  if (written !== size) throw damaged(`expected ${size} bytes, found ${written}`);
  return output;
}

function need(bytes: Uint8Array, at: number, count: number): void {
  if (at + count > bytes.length) throw damaged('the frame is truncated');
}

/** Reads a little-endian number. Beyond 2^53 it is not exact, but no size is that large. */
function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = count - 1; index >= 0; index--)
    value = value * 256 + (bytes[at + index] as number);
  return value;
}

/** The number of the highest bit of a positive number. */
function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

/** Length codes: each has a base and a number of extra bits. */
interface Lengths {
  base: Uint32Array;
  bits: Uint8Array;
}

/**
 * The first `single` codes are one length each, starting at `first`. The others have these numbers
 * of extra bits.
 */
function lengths(first: number, single: number, bits: readonly number[]): Lengths {
  const all = [...new Array<number>(single).fill(0), ...bits];
  let next = first;
  const base = all.map((count) => {
    const start = next;
    next += 2 ** count;
    return start;
  });
  return { base: Uint32Array.from(base), bits: Uint8Array.from(all) };
}

const literalLengths = lengths(
  0,
  16,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const matchLengths = lengths(
  3,
  32,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);

/** A finite-state-entropy table: the symbol of each state, and the next state. */
interface StateTable {
  log: number;
  symbols: Uint8Array;
  bits: Uint8Array;
  base: Uint16Array;
}

/**
 * Builds a table from the shares of its symbols. A share of -1 is the "less than 1" probability.
 */
function stateTable(log: number, shares: readonly number[]): StateTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(shares.length);
  let last = size - 1;
  for (const [symbol, share] of shares.entries()) {
    next[symbol] = Math.abs(share);
    if (share === -1) symbols[last--] = symbol;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let place = 0;
  for (const [symbol, share] of shares.entries()) {
    for (let count = 0; count < share; count++) {
      symbols[place] = symbol;
      do place = (place + step) & (size - 1);
      while (place > last);
    }
  }
  const bits = new Uint8Array(size);
  const base = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number;
    const value = next[symbol] as number;
    next[symbol] = value + 1;
    bits[state] = log - highestBit(value);
    base[state] = (value << (bits[state] as number)) - size;
  }
  return { log, symbols, bits, base };
}

/** The limits of a kind of table, and its predefined form. */
interface TableKind {
  maxSymbol: number;
  maxLog: number;
  predefined: StateTable;
}

const ones = (count: number) => new Array<number>(count).fill(1);
const twos = (count: number) => new Array<number>(count).fill(2);
const rare = (count: number) => new Array<number>(count).fill(-1);

const literalLengthKind: TableKind = {
  maxSymbol: 35,
  maxLog: 9,
  predefined: stateTable(6, [
    4,
    3,
    ...twos(11),
    ...ones(3),
    ...twos(9),
    3,
    2,
    ...ones(5),
    ...rare(4),
  ]),
};
const offsetKind: TableKind = {
  maxSymbol: 31,
  maxLog: 8,
  predefined: stateTable(5, [...ones(6), ...twos(3), ...ones(15), ...rare(5)]),
};
const matchLengthKind: TableKind = {
  maxSymbol: 52,
  maxLog: 9,
  predefined: stateTable(6, [1, 4, 3, ...twos(6), ...ones(37), ...rare(7)]),
};

/** Reads the description of a table. Returns the table and the position after it. */
function readTable(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxLog: number,
  maxSymbol: number,
): { table: StateTable; at: number } {
  let position = 8 * start;
  const take = (count: number): number => {
    const at = position >> 3;
    const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    const value = (word >>> (position & 7)) & ((1 << count) - 1);
    position += count;
    if (position > 8 * end) throw damaged('a table is truncated');
    return value;
  };
  const log = take(4) + 5;
  if (log > maxLog) throw damaged(`a table of ${log} bits`);
  const shares: number[] = [];
  let left = 1 << log;
  while (left > 0) {
    // The lowest values take one bit less.
    const count = highestBit(left + 1);
    const few = 2 ** (count + 1) - 2 - left;
    let value = take(count);
    if (value >= few && take(1) === 1) value += 2 ** count - few;
    shares.push(value - 1);
    left -= Math.abs(value - 1);
    if (value === 1) {
      for (let zeros = 3; zeros === 3; ) {
        zeros = take(2);
        for (let index = 0; index < zeros; index++) shares.push(0);
      }
    }
    if (shares.length > maxSymbol + 1) throw damaged('a table has too many symbols');
  }
  if (left < 0) throw damaged('the shares of a table do not add up');
  return { table: stateTable(log, shares), at: (position + 7) >> 3 };
}

/** Reads bits from the last to the first, the order in which code streams are stored. */
class BackwardBits {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  /** Bits left. Negative after reading past the start, which gives zeros. */
  left: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    const last = end > start ? (bytes[end - 1] as number) : 0;
    if (last === 0) throw damaged('a stream has no end');
    this.#bytes = bytes;
    this.#start = start;
    this.left = 8 * (end - start - 1) + highestBit(last);
  }

  /** The next bits, at most 24, without consuming them. */
  peek(count: number): number {
    const at = this.left - count;
    if (at < 0) return at + count <= 0 ? 0 : (this.#word(0) << -at) & ((1 << count) - 1);
    return (this.#word(at >> 3) >>> (at & 7)) & ((1 << count) - 1);
  }

  read(count: number): number {
    if (count > 24) {
      const high = this.read(count - 16);
      return high * 65_536 + this.read(16);
    }
    const value = this.peek(count);
    this.left -= count;
    return value;
  }

  #word(index: number): number {
    const bytes = this.#bytes;
    const at = this.#start + index;
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    );
  }
}

/** A Huffman code: for each value of the next `log` bits, the symbol and the length of its code. */
interface HuffmanTable {
  log: number;
  symbols: Uint8Array;
  bits: Uint8Array;
}

/** Reads the description of a Huffman code. Returns the code and the position after it. */
function readHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
): { table: HuffmanTable; at: number } {
  if (start >= end) throw damaged('a Huffman code is truncated');
  const head = bytes[start] as number;
  const isDirect = head >= 128;
  const at = start + 1 + (isDirect ? (head - 126) >> 1 : head);
  if (at > end) throw damaged('a Huffman code is truncated');
  const weights = isDirect
    ? directWeights(bytes, start + 1, head - 127)
    : codedWeights(bytes, start + 1, at);
  let sum = 0;
  for (const weight of weights) {
    if (weight > maxHuffmanBits) throw damaged('a Huffman code is too long');
    if (weight > 0) sum += 1 << (weight - 1);
  }
  if (sum === 0) throw damaged('a Huffman code without symbols');
  const log = highestBit(sum) + 1;
  const rest = (1 << log) - sum;
  // The description omits the weight of the last symbol: it completes the sum.
  if (log > maxHuffmanBits || (rest & (rest - 1)) !== 0)
    throw damaged('a Huffman code is incomplete');
  weights.push(highestBit(rest) + 1);
  // Symbols of low weight come first: their codes are the longest.
  const places = new Uint32Array(log + 2);
  for (const weight of weights) if (weight > 0) (places[weight + 1] as number) += 1 << (weight - 1);
  for (let weight = 1; weight <= log; weight++)
    (places[weight + 1] as number) += places[weight] as number;
  const symbols = new Uint8Array(1 << log);
  const bits = new Uint8Array(1 << log);
  for (const [symbol, weight] of weights.entries()) {
    if (weight === 0) continue;
    const place = places[weight] as number;
    const next = place + (1 << (weight - 1));
    symbols.fill(symbol, place, next);
    bits.fill(log + 1 - weight, place, next);
    places[weight] = next;
  }
  return { table: { log, symbols, bits }, at };
}

function directWeights(bytes: Uint8Array, start: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const two = bytes[start + (index >> 1)] as number;
    return (index & 1) === 0 ? two >> 4 : two & 15;
  });
}

/** Decodes weights with two alternating states, until the bits run out. */
function codedWeights(bytes: Uint8Array, start: number, end: number): number[] {
  const { table, at } = readTable(bytes, start, end, 6, 255);
  const stream = new BackwardBits(bytes, at, end);
  const weights: number[] = [];
  let [state, other] = [stream.read(table.log), stream.read(table.log)];
  while (weights.length < 255) {
    weights.push(table.symbols[state] as number);
    const next = (table.base[state] as number) + stream.read(table.bits[state] as number);
    if (stream.left < 0) {
      weights.push(table.symbols[other] as number);
      break;
    }
    [state, other] = [other, next];
  }
  if (stream.left >= 0 || weights.length > 255)
    throw damaged('a Huffman code has too many symbols');
  return weights;
}

/** Decodes one stream; it must fill `output` exactly. */
function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  table: HuffmanTable,
  output: Uint8Array,
): void {
  const stream = new BackwardBits(bytes, start, end);
  const { log, symbols, bits } = table;
  for (let index = 0; index < output.length && stream.left > 0; index++) {
    const code = stream.peek(log);
    output[index] = symbols[code] as number;
    stream.left -= bits[code] as number;
    if (index === output.length - 1 && stream.left === 0) return;
  }
  if (output.length > 0 || stream.left !== 0)
    throw damaged('a stream has the wrong number of bytes');
}

/** One frame, written after the bytes of earlier frames. */
class Frame {
  readonly #bytes: Uint8Array;
  readonly #output: Uint8Array;
  /** Start of the frame's output. Matches never reach further back. */
  readonly #origin: number;
  #at: number;
  #written: number;
  #huffman: HuffmanTable | undefined;
  #tables: [StateTable, StateTable, StateTable] | undefined;
  readonly #offsets: [number, number, number] = [1, 4, 8];
  #literals: Uint8Array = new Uint8Array();

  constructor(bytes: Uint8Array, at: number, output: Uint8Array, written: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#output = output;
    this.#origin = written;
    this.#written = written;
  }

  read(): { at: number; written: number } {
    const bytes = this.#bytes;
    need(bytes, this.#at, 1);
    const flags = bytes[this.#at++] as number;
    if (flags & 8) throw damaged('an unknown flag is set');
    const isSingle = (flags & 32) !== 0;
    const idBytes = [0, 1, 2, 4][flags & 3] as number;
    const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6] as number;
    need(bytes, this.#at, (isSingle ? 0 : 1) + idBytes + sizeBytes);
    // The window size does not matter: the whole output stays in memory.
    if (!isSingle) this.#at += 1;
    if (littleEndian(bytes, this.#at, idBytes) !== 0) throw damaged('the frame needs a dictionary');
    this.#at += idBytes;
    const size = littleEndian(bytes, this.#at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
    this.#at += sizeBytes;
    while (!this.#block());
    // A checksum.
    if (flags & 4) {
      need(bytes, this.#at, 4);
      this.#at += 4;
    }
    const made = this.#written - this.#origin;
    if (sizeBytes > 0 && made !== size) throw damaged(`${made} bytes in a frame of ${size}`);
    return { at: this.#at, written: this.#written };
  }

  /** Reads a block. Returns whether it was the last one. */
  #block(): boolean {
    const bytes = this.#bytes;
    need(bytes, this.#at, 3);
    const head = littleEndian(bytes, this.#at, 3);
    this.#at += 3;
    const type = (head >> 1) & 3;
    const size = head >> 3;
    need(bytes, this.#at, type === blockTypes.repeated ? 1 : size);
    switch (type) {
      case blockTypes.raw:
        this.#room(size);
        this.#output.set(bytes.subarray(this.#at, this.#at + size), this.#written);
        this.#written += size;
        this.#at += size;
        break;
      case blockTypes.repeated:
        this.#room(size);
        this.#output.fill(bytes[this.#at] as number, this.#written, this.#written + size);
        this.#written += size;
        this.#at += 1;
        break;
      case blockTypes.compressed: {
        const end = this.#at + size;
        this.#sequences(this.#readLiterals(end), end);
        this.#at = end;
        break;
      }
      default:
        throw damaged(`unknown block type ${type}`);
    }
    return (head & 1) === 1;
  }

  #room(size: number): void {
    if (this.#written + size > this.#output.length) throw damaged('more bytes than were announced');
  }

  /** Decodes the literals of a block that ends at `end`, and moves past them. */
  #readLiterals(end: number): Uint8Array {
    const bytes = this.#bytes;
    const first = bytes[this.#at] ?? 0;
    const type = first & 3;
    const format = (first >> 2) & 3;
    if (type === literalTypes.raw || type === literalTypes.repeated) {
      const headBytes = [1, 2, 1, 3][format] as number;
      const size = this.#head(headBytes, end) >> (headBytes === 1 ? 3 : 4);
      const stored = type === literalTypes.raw ? size : 1;
      if (size > maxLiterals || this.#at + stored > end) throw damaged('literals are truncated');
      const start = this.#at;
      this.#at += stored;
      if (type === literalTypes.raw) return bytes.subarray(start, this.#at);
      return this.#buffer(size).fill(bytes[start] as number);
    }
    const sizeBits = [10, 10, 14, 18][format] as number;
    const head = this.#head([3, 3, 4, 5][format] as number, end);
    const size = Math.floor(head / 16) % 2 ** sizeBits;
    const stored = Math.floor(head / 2 ** (4 + sizeBits));
    const stop = this.#at + stored;
    if (size > maxLiterals || stop > end) throw damaged('literals are truncated');
    let start = this.#at;
    if (type === literalTypes.compressed) {
      const { table, at } = readHuffman(bytes, start, stop);
      this.#huffman = table;
      start = at;
    }
    const table = this.#huffman;
    if (table === undefined) throw damaged('a Huffman code is missing');
    const literals = this.#buffer(size);
    if (format === 0) decodeHuffman(bytes, start, stop, table, literals);
    else this.#fourStreams(start, stop, table, literals);
    this.#at = stop;
    return literals;
  }

  /** Reads the header of the literals as a number. */
  #head(count: number, end: number): number {
    if (this.#at + count > end) throw damaged('literals are truncated');
    const head = littleEndian(this.#bytes, this.#at, count);
    this.#at += count;
    return head;
  }

  #buffer(size: number): Uint8Array {
    if (this.#literals.length < size) this.#literals = new Uint8Array(size);
    return this.#literals.subarray(0, size);
  }

  #fourStreams(start: number, end: number, table: HuffmanTable, literals: Uint8Array): void {
    const bytes = this.#bytes;
    if (start + 6 > end) throw damaged('literals are truncated');
    const part = (literals.length + 3) >> 2;
    let at = start + 6;
    for (let index = 0; index < 4; index++) {
      const stop = index === 3 ? end : at + littleEndian(bytes, start + 2 * index, 2);
      if (stop > end) throw damaged('literals are truncated');
      decodeHuffman(
        bytes,
        at,
        stop,
        table,
        literals.subarray(part * index, index === 3 ? undefined : part * (index + 1)),
      );
      at = stop;
    }
  }

  /**
   * Executes the sequences up to `end`: each copies some literals, then earlier bytes of the
   * output.
   */
  #sequences(literals: Uint8Array, end: number): void {
    const count = this.#sequenceCount(end);
    if (count === 0) {
      if (this.#at !== end) throw damaged('bytes are left in a block');
      this.#copyLiterals(literals, 0, literals.length);
      return;
    }
    if (this.#at >= end) throw damaged('sequences are truncated');
    const modes = this.#bytes[this.#at++] as number;
    if (modes & 3) throw damaged('an unknown table mode');
    const known = this.#tables;
    const literalTable = this.#table(modes >> 6, literalLengthKind, known?.[0], end);
    const offsetTable = this.#table((modes >> 4) & 3, offsetKind, known?.[1], end);
    const matchTable = this.#table((modes >> 2) & 3, matchLengthKind, known?.[2], end);
    this.#tables = [literalTable, offsetTable, matchTable];
    const stream = new BackwardBits(this.#bytes, this.#at, end);
    let literalState = stream.read(literalTable.log);
    let offsetState = stream.read(offsetTable.log);
    let matchState = stream.read(matchTable.log);
    let used = 0;
    for (let left = count; left > 0; left--) {
      const offsetCode = offsetTable.symbols[offsetState] as number;
      const matchCode = matchTable.symbols[matchState] as number;
      const literalCode = literalTable.symbols[literalState] as number;
      const offsetValue = 2 ** offsetCode + stream.read(offsetCode);
      const match =
        (matchLengths.base[matchCode] as number) +
        stream.read(matchLengths.bits[matchCode] as number);
      const taken =
        (literalLengths.base[literalCode] as number) +
        stream.read(literalLengths.bits[literalCode] as number);
      if (left > 1) {
        literalState =
          (literalTable.base[literalState] as number) +
          stream.read(literalTable.bits[literalState] as number);
        matchState =
          (matchTable.base[matchState] as number) +
          stream.read(matchTable.bits[matchState] as number);
        offsetState =
          (offsetTable.base[offsetState] as number) +
          stream.read(offsetTable.bits[offsetState] as number);
      }
      if (stream.left < 0) throw damaged('sequences are truncated');
      const offset = this.#offset(offsetValue, taken);
      this.#copyLiterals(literals, used, used + taken);
      used += taken;
      this.#copyMatch(offset, match);
    }
    if (stream.left !== 0) throw damaged('bits are left in a block');
    this.#copyLiterals(literals, used, literals.length);
  }

  #sequenceCount(end: number): number {
    const bytes = this.#bytes;
    if (this.#at >= end) throw damaged('sequences are truncated');
    const first = bytes[this.#at++] as number;
    if (first < 128) return first;
    const more = first === 255 ? 2 : 1;
    if (this.#at + more > end) throw damaged('sequences are truncated');
    const rest = littleEndian(bytes, this.#at, more);
    this.#at += more;
    return first === 255 ? rest + 0x7f00 : ((first - 128) << 8) + rest;
  }

  #table(mode: number, kind: TableKind, known: StateTable | undefined, end: number): StateTable {
    switch (mode) {
      case tableModes.predefined:
        return kind.predefined;
      case tableModes.single: {
        const symbol = this.#at < end ? (this.#bytes[this.#at++] as number) : Infinity;
        if (symbol > kind.maxSymbol) throw damaged('a table has an unknown symbol');
        return {
          log: 0,
          symbols: Uint8Array.of(symbol),
          bits: new Uint8Array(1),
          base: new Uint16Array(1),
        };
      }
      case tableModes.described: {
        const { table, at } = readTable(this.#bytes, this.#at, end, kind.maxLog, kind.maxSymbol);
        this.#at = at;
        return table;
      }
      default:
        if (known === undefined) throw damaged('a table is missing');
        return known;
    }
  }

  /** The offset of a match. Values up to 3 refer to recent offsets. */
  #offset(value: number, literals: number): number {
    const last = this.#offsets;
    if (value > 3) {
      [last[2], last[1], last[0]] = [last[1], last[0], value - 3];
      return last[0];
    }
    const place = literals === 0 ? value : value - 1;
    if (place === 0) return last[0];
    const offset = place === 3 ? last[0] - 1 : (last[place] as number);
    if (place > 1) last[2] = last[1];
    last[1] = last[0];
    last[0] = offset;
    return offset;
  }

  #copyLiterals(literals: Uint8Array, start: number, end: number): void {
    if (end > literals.length) throw damaged('sequences need more literals than the block has');
    this.#room(end - start);
    const output = this.#output;
    let to = this.#written;
    for (let from = start; from < end; from++) output[to++] = literals[from] as number;
    this.#written = to;
  }

  #copyMatch(offset: number, length: number): void {
    if (offset <= 0 || offset > this.#written - this.#origin)
      throw damaged('an offset points before the start');
    this.#room(length);
    const output = this.#output;
    const start = this.#written;
    if (offset >= length) output.copyWithin(start, start - offset, start - offset + length);
    else
      for (let index = 0; index < length; index++)
        output[start + index] = output[start + index - offset] as number;
    this.#written += length;
  }
}
