import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** The argument that means standard input. */
export const standardInput = '-';

/**
 * Whether an input can be read only once, from its start: standard input, a pipe, a device or a
 * socket.
 */
export function isStreamInput(path: string): boolean {
  if (path === standardInput) return true;
  const info = statSync(path, { throwIfNoEntry: false });
  return info !== undefined && !info.isFile() && !info.isDirectory();
}

/** The required kind of an input. A stream must be a capture; for a file the engine finds out. */
export function kindOf(path: string): 'auto' | 'capture' {
  return isStreamInput(path) ? 'capture' : 'auto';
}

/** The input's name in records. */
export function inputName(path: string): string {
  return path === standardInput ? 'stdin' : path;
}

/** Whether a file starts like a capture: with a section header or gzip. */
export function looksLikeCapture(path: string): boolean {
  const start = firstBytes(path, 4);
  return (
    start.equals(Buffer.of(0x0a, 0x0d, 0x0d, 0x0a)) ||
    start.subarray(0, 2).equals(Buffer.of(0x1f, 0x8b))
  );
}

/** Whether a file starts like a SysFlow file. */
export function looksLikeRecords(path: string): boolean {
  return firstBytes(path, 4).equals(Buffer.from('Obj\x01'));
}

/** Fewer bytes if the file is shorter, none if it is unreadable; the engine reports why. */
function firstBytes(path: string, count: number): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const bytes = Buffer.alloc(count);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, count, 0));
  } catch {
    return Buffer.alloc(0);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
