import { createHash } from 'node:crypto';
import { type BigIntStats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** A regular file as it is now. */
export interface FileState {
  size: bigint;
  /** Changes whenever the file does: its device, inode, size and times. */
  stamp: string;
  /**
   * Whether a later change certainly changes the stamp. File systems count time in steps, so that a
   * second change within one step can leave the times as they are.
   */
  isSettled: boolean;
}

/** Longer than the step of any file system's clock, which is two seconds on FAT. */
const settlingTime = 3000n;

/** Undefined if the path is no regular file with content. */
export function stateOf(path: string): FileState | undefined {
  const info = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (info === undefined || !info.isFile() || info.size === 0n) return undefined;
  const isSettled = [info.mtimeMs, info.ctimeMs].every(
    (time) => BigInt(Date.now()) - time > settlingTime,
  );
  return { size: info.size, stamp: stampOf(info), isSettled };
}

export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return digest(`${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`).slice(0, 32);
}

/** SHA-256 as hexadecimal digits. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const portion = 1024 * 1024;

/** SHA-256 of a file's content. Throws the signal's reason when it is aborted. */
export async function contentOf(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(portion);
  const file = await open(path);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, portion);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
