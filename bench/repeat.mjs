// Builds a long capture from a short one: its lists once, then its events repeatedly, shifted each
// time by the capture's duration. Only uncompressed captures in this machine's byte order.
//
//   node bench/repeat.mjs INPUT OUTPUT MEGABYTES

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

// Event blocks by type, with the offset of the event's header in the block.
const EVENT_BLOCKS = new Map([
  [0x204, 10],
  [0x216, 10],
  [0x221, 10],
  [0x208, 14],
  [0x217, 14],
  [0x222, 14],
]);
const NO_TIME = 0xffffffffffffffffn;

/** Writes `megabytes` of capture to `output`; returns the number of event blocks. */
export function repeatCapture(input, output, megabytes) {
  let bytes = readFileSync(input);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes);
  let firstEvent = -1;
  const times = [];
  let low = NO_TIME;
  let high = 0n;
  for (let at = 0; at + 12 <= bytes.length; at += bytes.readUInt32LE(at + 4)) {
    const header = EVENT_BLOCKS.get(bytes.readUInt32LE(at));
    if (header === undefined) continue;
    if (firstEvent < 0) firstEvent = at;
    const ts = bytes.readBigUInt64LE(at + header);
    const real = ts !== 0n && ts !== NO_TIME;
    times.push({ offset: at + header - firstEvent, ts, real });
    if (real && ts < low) low = ts;
    if (real && ts > high) high = ts;
  }
  const second = 1_000_000_000n;
  const period = ((high - low) / second + 2n) * second;
  const events = Buffer.from(bytes.subarray(firstEvent));
  const rounds = Math.max(1, Math.ceil((megabytes * 1e6 - firstEvent) / events.length));
  const file = openSync(output, 'w');
  writeSync(file, bytes, 0, firstEvent);
  for (let round = 0; round < rounds; round++) {
    for (const { offset, ts, real } of times) {
      if (real) events.writeBigUInt64LE(ts + BigInt(round) * period, offset);
    }
    writeSync(file, events);
  }
  closeSync(file);
  return times.length * rounds;
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const [input, output, megabytes] = process.argv.slice(2);
  console.log(`${repeatCapture(input, output, Number(megabytes))} events`);
}
