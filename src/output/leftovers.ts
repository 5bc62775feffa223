import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { loadAddon } from '../engine/addon.js';

// A process that is killed outright cannot remove its unfinished output; the next one does.

/**
 * Where process ids mean the same: this machine or container. Unfinished output carries it in its name, so that
 * containers with a directory in common do not take one another's processes for dead.
 */
export const machine = createHash('sha256').update(`${hostname()} ${processNamespace()}`).digest('hex').slice(0, 8);

const unfinished = new RegExp(`^\\..+\\.([1-9]\\d{0,9})-\\d+\\.${machine}\\.part$`);
const seen = new Set<string>();

/**
 * Removes the unfinished output of processes that are gone; looks into a directory once. Anyone can make such a name:
 * the engine removes only what the own user owns, and follows no link.
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
    // Not Linux: one namespace a machine.
    return '';
  }
}
