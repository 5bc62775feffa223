import { mkdirSync, rmSync } from 'node:fs';
import { loadAddon } from '../engine/addon.js';

/** A directory that this process made for itself. */
export interface OwnDirectory {
  readonly path: string;
  /** Removes it from where it is now, if it is still this one; what cannot be removed stays. */
  remove(path?: string): void;
}

/** Makes a directory that nobody else may enter. */
export function makeOwnDirectory(path: string): OwnDirectory {
  // Not through what others may have put there.
  mkdirSync(path, 0o700);
  const addon = loadAddon();
  if (!addon.identifyMadeDirectory) {
    return { path, remove: (now = path) => rmSync(now, { recursive: true, force: true }) };
  }
  const made = addon.identifyMadeDirectory(path);
  // Where others can write without restriction they may have swapped it already.
  if (made === null) throw Object.assign(new Error(`${path} was replaced`), { code: 'EEXIST' });
  return { path, remove: (now = path) => void addon.removeMadeDirectory?.(now, made) };
}
