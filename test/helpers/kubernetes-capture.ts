import { readFileSync } from 'node:fs';

const eventBlocks = new Set([0x204, 0x208, 0x216, 0x217, 0x221, 0x222]);
const eventBlock = 0x216;
const kubernetesCode = 260;

/**
 * A capture with events of the Kubernetes API (one for each payload) before its first event, and
 * the time of that event, in ns.
 */
export function withKubernetesEvents(path: string, payloads: readonly string[]) {
  const capture = readFileSync(path);
  let place = 0;
  while (!eventBlocks.has(capture.readUInt32LE(place))) place += capture.readUInt32LE(place + 4);
  const time = capture.readBigUInt64LE(place + 10);
  const events = payloads.map((payload) => eventOf(time, payload));
  return {
    bytes: Buffer.concat([capture.subarray(0, place), ...events, capture.subarray(place)]),
    time,
  };
}

function eventOf(time: bigint, payload: string): Buffer {
  const text = Buffer.from(`${payload}\0`);
  const header = Buffer.alloc(28);
  header.writeBigUInt64LE(time, 0);
  header.writeBigInt64LE(-1n, 8);
  header.writeUInt32LE(header.length + text.length, 16);
  header.writeUInt16LE(kubernetesCode, 20);
  header.writeUInt32LE(1, 22);
  header.writeUInt16LE(text.length, 26);
  const cpu = Buffer.alloc(2);
  const body = Buffer.concat([cpu, header, text]);
  const padding = Buffer.alloc((4 - (body.length % 4)) % 4);
  const length = body.length + padding.length + 12;
  const block = Buffer.alloc(8);
  block.writeUInt32LE(eventBlock, 0);
  block.writeUInt32LE(length, 4);
  const end = Buffer.alloc(4);
  end.writeUInt32LE(length, 0);
  return Buffer.concat([block, body, padding, end]);
}
