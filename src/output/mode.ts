import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  rmdirSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';

// Permissions of outputs. Bits beyond these (setuid and so on) are never given.
const permissions = 0o777;

/** Permissions of an output that others may read, before the umask. */
export const publicFile = 0o666;

/** Permissions of what only its owner may read. */
export const privateFile = 0o600;

/** The regular file at a path, links followed. */
export function fileAt(path: string): Stats | undefined {
  const info = statSync(path, { throwIfNoEntry: false });
  return info?.isFile() ? info : undefined;
}

/**
 * Permissions of a file that replaces another: those of the replaced one. Of somebody else's file it takes no more than
 * a new file has anyway, or its owner could write into ours.
 */
export function modeInPlaceOf(replaced: Stats, current: number): number {
  const mode = replaced.mode & permissions;
  return isOwn(replaced) ? mode : mode & current;
}

export function isOwn({ uid }: Stats): boolean {
  return process.geteuid === undefined || uid === process.geteuid();
}

/** Sets the permissions of a file of our own; of nothing that was swapped for it. */
export function setMode(path: string, modeOf: (current: number) => number): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    const info = fstatSync(descriptor);
    // A name that others gave to a file of ours makes a second link.
    const isOurs = isOwn(info) && (info.isDirectory() || (info.isFile() && info.nlink === 1));
    const current = info.mode & permissions;
    const wanted = modeOf(current);
    if (isOurs && wanted !== current) fchmodSync(descriptor, wanted);
  } catch {
    // A file system without permissions, or with those of all its files fixed.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Permissions that a new directory gets by the umask, tried in a directory that nobody else can enter. */
export function usualDirectoryMode(inside: string): number {
  const trial = join(inside, '.mode');
  mkdirSync(trial);
  const { mode } = statSync(trial);
  rmdirSync(trial);
  return mode & permissions;
}
