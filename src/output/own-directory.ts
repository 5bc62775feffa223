import { mkdirSync, rmSync } from 'node:fs';
import { loadAddon } from '../engine/addon.js';

/** A private directory that this process created. */
export interface OwnDirectory {
  readonly path: string;
  /**
   * Removes it from `path`, if it is still the same directory. Contents that cannot be removed
   * stay.
   */
  remove(path?: string): void;
}

/** Creates a directory that nobody else can enter. */
export function makeOwnDirectory(path: string): OwnDirectory {
  // Fails if anything is there, even a link.
  mkdirSync(path, 0o700);
  const addon = loadAddon();
  if (!addon.identifyMadeDirectory) {
    return { path, remove: (now = path) => rmSync(now, { recursive: true, force: true }) };
  }
  const made = addon.identifyMadeDirectory(path);
  // In a directory that others can write to, someone may have replaced it already.
  if (made === null) throw Object.assign(new Error(`${path} was replaced`), { code: 'EEXIST' });
  return { path, remove: (now = path) => void addon.removeMadeDirectory?.(now, made) };
}
