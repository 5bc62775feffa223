import { statSync } from 'node:fs';

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
