/**
 * A table in a flatbuffer. Every position is checked before it is read. Offsets point forward only,
 * so no table can contain itself; `budget` limits how often tables can be shared.
 */
export class FlatTable {
  readonly #buffer: Buffer;
  readonly #at: number;
  readonly #layout: number;
  readonly #layoutBytes: number;
  readonly #bytes: number;
  readonly #budget: { tables: number };

  private constructor(buffer: Buffer, at: number, budget: { tables: number }) {
    if (budget.tables-- <= 0) throw new Error('its metadata has more tables than its size allows');
    within(buffer, at, 4);
    const layout = at - buffer.readInt32LE(at);
    within(buffer, layout, 4);
    this.#layoutBytes = buffer.readUInt16LE(layout);
    this.#bytes = buffer.readUInt16LE(layout + 2);
    within(buffer, layout, this.#layoutBytes);
    within(buffer, at, this.#bytes);
    this.#buffer = buffer;
    this.#at = at;
    this.#layout = layout;
    this.#budget = budget;
  }

  static root(buffer: Buffer): FlatTable {
    within(buffer, 0, 4);
    // A table and its layout take at least eight bytes; tables can share a layout.
    return new FlatTable(buffer, buffer.readUInt32LE(0), { tables: buffer.length / 4 });
  }

  /** Position in the buffer. */
  get position(): number {
    return this.#at;
  }

  integer(field: number, bytes: 1 | 2 | 4, fallback = 0): number {
    const at = this.#field(field, bytes);
    return at === undefined ? fallback : this.#buffer.readIntLE(at, bytes);
  }

  /** A 64-bit count or size. */
  long(field: number): number {
    const at = this.#field(field, 8);
    return at === undefined ? 0 : safeNumber(this.#buffer, at);
  }

  table(field: number): FlatTable | undefined {
    const at = this.#field(field, 4);
    return at === undefined ? undefined : this.#follow(at);
  }

  tables(field: number): FlatTable[] {
    const { start, length } = this.vector(field, 4);
    return Array.from({ length }, (_, index) => this.#follow(start + 4 * index));
  }

  text(field: number): string {
    const { start, length } = this.vector(field, 1);
    return this.#buffer.toString('utf8', start, start + length);
  }

  /** 64-bit numbers, `each` per row. */
  longs(field: number, each: number): number[][] {
    const { start, length } = this.vector(field, 8 * each);
    return Array.from({ length }, (_, row) =>
      Array.from({ length: each }, (_, index) =>
        safeNumber(this.#buffer, start + 8 * (row * each + index)),
      ),
    );
  }

  /** Blocks of a footer: offset, metadata size, body size. */
  blocks(field: number): { offset: number; body: number }[] {
    const { start, length } = this.vector(field, 24);
    return Array.from({ length }, (_, index) => ({
      offset: safeNumber(this.#buffer, start + 24 * index),
      body: safeNumber(this.#buffer, start + 24 * index + 16),
    }));
  }

  vector(field: number, elementBytes: number): { start: number; length: number } {
    const at = this.#field(field, 4);
    if (at === undefined) return { start: 0, length: 0 };
    const start = at + this.#buffer.readUInt32LE(at);
    within(this.#buffer, start, 4);
    const length = this.#buffer.readUInt32LE(start);
    within(this.#buffer, start + 4, length * elementBytes);
    return { start: start + 4, length };
  }

  #follow(at: number): FlatTable {
    return new FlatTable(this.#buffer, at + this.#buffer.readUInt32LE(at), this.#budget);
  }

  #field(index: number, bytes: number): number | undefined {
    const slot = 4 + 2 * index;
    if (slot + 2 > this.#layoutBytes) return undefined;
    const offset = this.#buffer.readUInt16LE(this.#layout + slot);
    if (offset === 0) return undefined;
    if (offset < 4 || offset + bytes > this.#bytes)
      throw new Error('a field of its metadata is outside its table');
    return this.#at + offset;
  }
}

function within(buffer: Buffer, start: number, bytes: number): void {
  if (start < 0 || start + bytes > buffer.length)
    throw new Error('its metadata points outside itself');
}

function safeNumber(buffer: Buffer, at: number): number {
  const value = buffer.readBigInt64LE(at);
  if (value < -1n || value > 2n ** 53n - 1n)
    throw new Error(`its metadata has the impossible size ${value}`);
  return Number(value);
}
