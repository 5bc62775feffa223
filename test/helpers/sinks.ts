import type { ByteSink } from '../../src/output/sink.js';

/** Keeps what is written. */
export function memorySink(): ByteSink & { bytes(): Uint8Array; text(): string } {
  const chunks: Buffer[] = [];
  return {
    // Copied at once: a writer may use the memory again.
    write: async (chunk) => void chunks.push(Buffer.from(chunk as string)),
    close: async () => {},
    discard: () => {},
    bytes: () => new Uint8Array(Buffer.concat(chunks)),
    text: () => Buffer.concat(chunks).toString(),
  };
}
