import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { loadAddon } from '../engine/addon.js';

// A killed process cannot remove its unfinished output, so the next run does.

/**
 * Identifies the pid namespace: this machine or container. Names of unfinished outputs include it,
 * so that containers with a shared directory do not consider each other's processes dead.
 */
export const machine = createHash('sha256')
  .update(`${hostname()} ${processNamespace()}`)
  .digest('hex')
  .slice(0, 8);

const unfinished = new RegExp(`^\\..+\\.([1-9]\\d{0,9})-\\d+\\.${machine}\\.part$`);
const seen = new Set<string>();

/**
 * Removes unfinished output of dead processes, once per directory. Anyone can create such a name,
 * so the engine removes only files of the same user, and follows no link.
 */
export function removeLeftovers(directory: string): void {
  if (seen.has(directory)) return;
  seen.add(directory);
  loadAddon().removeLeftovers?.(directory, isLeftover);
}

function isLeftover(name: string): boolean {
  const id = unfinished.exec(name)?.[1];
  return id !== undefined && !isAlive(Number(id));
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
    // Not Linux: one namespace per machine.
    return '';
  }
}
