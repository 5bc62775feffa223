import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** The name that means standard input. */
export const standardInput = '-';

/** Whether an input can be read once only, from its beginning: standard input, a pipe, a device or a socket. */
export function isStreamInput(path: string): boolean {
  if (path === standardInput) return true;
  const info = statSync(path, { throwIfNoEntry: false });
  return info !== undefined && !info.isFile() && !info.isDirectory();
}

/** What is expected of an input. Only of a file can it be found out; what streams is a capture. */
export function kindOf(path: string): 'auto' | 'capture' {
  return isStreamInput(path) ? 'capture' : 'auto';
}

/** What records say of the file they are from. */
export function inputName(path: string): string {
  return path === standardInput ? 'stdin' : path;
}

/** Whether a file begins as captures do: with a section header, or with gzip. */
export function looksLikeCapture(path: string): boolean {
  const start = firstBytes(path, 4);
  return start.equals(Buffer.of(0x0a, 0x0d, 0x0d, 0x0a)) || start.subarray(0, 2).equals(Buffer.of(0x1f, 0x8b));
}

/** Whether a file begins as SysFlow files do. */
export function looksLikeRecords(path: string): boolean {
  return firstBytes(path, 4).equals(Buffer.from('Obj\x01'));
}

/** Fewer where the file is shorter, none where it cannot be read; the engine says why. */
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
