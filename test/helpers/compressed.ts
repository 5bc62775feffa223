// Small compressors for tests, which can also create output that a real compressor would not.

/** Pseudo-random numbers below a limit, the same in every run. */
export function random(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % limit;
  };
}

function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Math.floor(value / 256 ** index) % 256);
}

/** A frame of LZ4 blocks; uncompressed blocks are marked. */
export function lz4Frame(...blocks: (Uint8Array | { stored: Uint8Array })[]): Uint8Array {
  const parts = blocks.map((block) => {
    const bytes = block instanceof Uint8Array ? block : block.stored;
    const size = littleEndian(bytes.length, 4);
    if (bytes !== block) size[3] = (size[3] as number) | 0x80;
    return Buffer.concat([Uint8Array.from(size), bytes]);
  });
  // Magic number; version 1 with independent blocks of up to 4 MiB; a checksum that readers can
  // ignore.
  const head = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0);
  return new Uint8Array(Buffer.concat([head, ...parts, new Uint8Array(4)]));
}

/** A frame of one block with literals, and matches where four bytes repeat. */
export function lz4Compress(bytes: Uint8Array): Uint8Array {
  const block: number[] = [];
  const places = new Map<number, number>();
  const length = (value: number) => {
    let left = value - 15;
    for (; left >= 255; left -= 255) block.push(255);
    block.push(left);
  };
  const sequence = (literals: Uint8Array, match: number, offset: number) => {
    block.push((Math.min(literals.length, 15) << 4) | (match === 0 ? 0 : Math.min(match - 4, 15)));
    if (literals.length >= 15) length(literals.length);
    block.push(...literals);
    if (match === 0) return;
    block.push(offset & 255, offset >> 8);
    if (match - 4 >= 15) length(match - 4);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (let at = 0; at + 12 < bytes.length; at++) {
    const word = view.getUint32(at, true);
    const found = places.get(word);
    places.set(word, at);
    if (found === undefined || at - found > 65_535) continue;
    let match = 4;
    while (at + match < bytes.length - 5 && bytes[at + match] === bytes[found + match]) match++;
    sequence(bytes.subarray(start, at), match, at - found);
    at += match - 1;
    start = at + 1;
  }
  sequence(bytes.subarray(start), 0, 0);
  return lz4Frame(Uint8Array.from(block));
}

/** A zstd block: raw bytes, one repeated byte, or a given compressed block. */
export function zstdBlock(
  type: 'raw' | 'repeated' | 'compressed',
  bytes: Uint8Array,
  size = bytes.length,
): Uint8Array {
  const number = { raw: 0, repeated: 1, compressed: 2 }[type];
  return Buffer.concat([Uint8Array.from(littleEndian((number << 1) + size * 8, 3)), bytes]);
}

/** A zstd frame, with its size if given. */
export function zstdFrame(blocks: readonly Uint8Array[], size?: number): Uint8Array {
  const head = size === undefined ? [0x00, 0x50] : [0xa0, ...littleEndian(size, 4)];
  const all = blocks.map((block, index) => {
    const copy = Uint8Array.from(block);
    if (index === blocks.length - 1) copy[0] = (copy[0] as number) | 1;
    return copy;
  });
  return new Uint8Array(Buffer.concat([Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...head), ...all]));
}

/** A frame of blocks with one repeated byte, and of raw blocks. */
export function zstdCompress(bytes: Uint8Array): Uint8Array {
  const blocks: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    let end = at + 1;
    while (end < bytes.length && end - at < 2 ** 17 && bytes[end] === bytes[at]) end++;
    if (end - at >= 8) {
      if (at > start) blocks.push(zstdBlock('raw', bytes.subarray(start, at)));
      blocks.push(zstdBlock('repeated', bytes.subarray(at, at + 1), end - at));
      start = end;
    }
    at = end;
  }
  if (start < bytes.length || blocks.length === 0)
    blocks.push(zstdBlock('raw', bytes.subarray(start)));
  return zstdFrame(blocks, bytes.length);
}
