import type { Log } from '../driver/log.js';
import { SocketWriter } from '../driver/socket.js';
import type { NativeBytesBatch, NativeDatumBatch } from '../engine/native.js';
import { reasonCount } from '../engine/reasons.js';
import { decodeBatch } from '../records/decode.js';
import type { LiveOutput } from './outputs.js';

/**
 * Records one by one to a unix socket of kind SOCK_SEQPACKET, as the library sends them. `warn`: what is lost. `hurry`: when
 * it is aborted, a reader that takes nothing is not waited for.
 */
export function socketOutput(
  path: string,
  warn: (message: string) => void,
  hurry: AbortSignal | undefined,
): LiveOutput<NativeDatumBatch | NativeBytesBatch> {
  const tell = (_module: string, message: string) => warn(message);
  const log: Log = { info: () => {}, warning: tell, error: tell, verbose: () => {}, close: async () => {} };
  const writer = new SocketWriter(path, log);
  hurry?.addEventListener('abort', () => writer.end(), { once: true });
  if (hurry?.aborted) writer.end();
  return {
    async write(batch) {
      if (batch.kind !== 'datums') return;
      for (const item of decodeBatch(batch)) {
        if ('gone' in item) writer.forget(item.gone);
        else await writer.write(item);
      }
    },
    finish: () => writer.close(),
    abandon: () => writer.discard(),
    gaps() {
      const told = [
        { ...reasonCount('socket-reader-too-slow', BigInt(writer.dropped)), isLoss: true },
        { ...reasonCount('ipv6-flows-in-socket', BigInt(writer.droppedIpv6)), isLoss: false },
      ];
      return told.filter(({ count }) => count > 0n);
    },
  };
}
