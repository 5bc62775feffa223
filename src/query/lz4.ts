/** A fault of compressed bytes. */
const damaged = (what: string) => new Error(`LZ4: ${what}`);

/**
 * Decompresses the LZ4 frames of Arrow buffers to exactly `size` bytes. It never writes past them,
 * whatever a frame says.
 */
export function lz4Decompress(frame: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let at = 0;
  let written = 0;
  const need = (bytes: number) => {
    if (at + bytes > frame.length) throw damaged('the frame is truncated');
  };
  while (at < frame.length) {
    need(7);
    if (view.getUint32(at, true) !== 0x184d2204) throw damaged('no frame starts here');
    const flags = frame[at + 4] as number;
    if (flags >> 6 !== 1) throw damaged(`unknown version ${flags >> 6}`);
    if (flags & 1) throw damaged('the frame needs a dictionary');
    const blockChecksum = flags & 0x10 ? 4 : 0;
    // Magic, flags, block size, optional content size, header checksum.
    at += 6 + (flags & 8 ? 8 : 0) + 1;
    for (;;) {
      need(4);
      const word = view.getUint32(at, true);
      at += 4;
      if (word === 0) break;
      const length = word & 0x7fffffff;
      need(length + blockChecksum);
      const block = frame.subarray(at, at + length);
      if (word >>> 31) {
        if (written + length > size) throw damaged('more bytes than were announced');
        output.set(block, written);
        written += length;
      } else {
        written = decompressBlock(block, output, written);
      }
      at += length + blockChecksum;
    }
    at += flags & 4 ? 4 : 0;
  }
  if (written !== size) throw damaged(`expected ${size} bytes, found ${written}`);
  return output;
}

/** Matches can reach into earlier blocks, which are before `written`. */
function decompressBlock(block: Uint8Array, output: Uint8Array, written: number): number {
  let at = 0;
  let end = written;
  const longer = (length: number): number => {
    let sum = length;
    if (length !== 15) return sum;
    for (;;) {
      if (at >= block.length) throw damaged('a length is truncated');
      const more = block[at++] as number;
      sum += more;
      if (more !== 255) return sum;
    }
  };
  while (at < block.length) {
    const token = block[at++] as number;
    const literals = longer(token >> 4);
    if (at + literals > block.length) throw damaged('literals are truncated');
    if (end + literals > output.length) throw damaged('more bytes than were announced');
    output.set(block.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    if (at === block.length) break;
    if (at + 2 > block.length) throw damaged('an offset is truncated');
    const offset = (block[at] as number) | ((block[at + 1] as number) << 8);
    at += 2;
    if (offset === 0 || offset > end) throw damaged('an offset points before the start');
    const length = longer(token & 15) + 4;
    if (end + length > output.length) throw damaged('more bytes than were announced');
    if (offset >= length) output.copyWithin(end, end - offset, end - offset + length);
    else
      for (let index = 0; index < length; index++)
        output[end + index] = output[end + index - offset] as number;
    end += length;
  }
  return end;
}
