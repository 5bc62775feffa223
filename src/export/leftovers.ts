import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

// A process that is killed outright cannot remove its unfinished output; the next one does.

/**
 * Where process ids mean the same: this machine or container. Unfinished output carries it in its name, so that
 * containers with a directory in common do not take one another's processes for dead.
 */
export const machine = createHash('sha256').update(`${hostname()} ${processNamespace()}`).digest('hex').slice(0, 8);

const unfinished = new RegExp(`^\\..+\\.([1-9]\\d{0,9})-\\d+\\.${machine}\\.part$`);
const seen = new Set<string>();

/** Removes the unfinished output of processes that are gone; looks into a directory once. */
export function removeLeftovers(directory: string): void {
  if (seen.has(directory)) return;
  seen.add(directory);
  try {
    for (const name of readdirSync(directory)) {
      const id = unfinished.exec(name)?.[1];
      if (id !== undefined && !isAlive(Number(id))) remove(join(directory, name));
    }
  } catch {
    // Whether the directory can be used shows when the output is opened.
  }
}

function remove(path: string): void {
  const info = lstatSync(path);
  // We make files and directories only; a link is somebody else's.
  if (!info.isFile() && !info.isDirectory()) return;
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Another user's; that user's next run removes it.
  }
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux: one namespace a machine.
    return '';
  }
}
