import { reasonCount } from '../engine/reasons.js';
import type { DatumBatch } from '../engine/session.js';
import type { Gap } from '../engine/summary.js';
import { decodeBatch } from '../records/decode.js';
import type { Log } from './log.js';
import { SocketWriter } from './socket.js';

/** Sends the records of a run to a socket. */
export interface SocketOutput {
  write(batch: DatumBatch): Promise<void>;
  finish(): Promise<void>;
  abandon(): void;
  /** Records that were accepted but not delivered. */
  gaps(): Gap[];
}

/**
 * Sends records one by one to a unix socket of type SOCK_SEQPACKET, like the library. `warn` gets
 * messages about losses. Aborting `drainSignal` ends the wait for a reader that takes nothing.
 */
export function socketOutput(
  path: string,
  warn: (message: string) => void,
  drainSignal: AbortSignal | undefined,
): SocketOutput {
  const report = (_module: string, message: string) => warn(message);
  const log: Log = {
    info: () => {},
    warning: report,
    error: report,
    verbose: () => {},
    close: async () => {},
  };
  const writer = new SocketWriter(path, log);
  drainSignal?.addEventListener('abort', () => writer.end(), { once: true });
  if (drainSignal?.aborted) writer.end();
  return {
    async write(batch) {
      for (const item of decodeBatch(batch)) {
        if ('ended' in item) writer.forget(item.ended);
        else await writer.write(item);
      }
    },
    finish: () => writer.close(),
    abandon: () => writer.discard(),
    gaps() {
      const gaps = [
        { ...reasonCount('socket-reader-too-slow', BigInt(writer.dropped)), isLoss: true },
        { ...reasonCount('ipv6-flows-in-socket', BigInt(writer.droppedIpv6)), isLoss: false },
      ];
      return gaps.filter(({ count }) => count > 0n);
    },
  };
}
