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

// Permissions of outputs. Other bits (setuid and so on) are never set.
const permissions = 0o777;

/** Permissions of an output that others can read, before the umask. */
export const publicFile = 0o666;

/** Permissions of a file that only its owner can read. */
export const privateFile = 0o600;

/** The regular file at a path, following links. */
export function fileAt(path: string): Stats | undefined {
  const info = statSync(path, { throwIfNoEntry: false });
  return info?.isFile() ? info : undefined;
}

/**
 * Permissions of a file that replaces another: those of the replaced file. If that belongs to
 * another user, no more than a new file gets: otherwise its owner could write to our file.
 */
export function modeInPlaceOf(replaced: Stats, current: number): number {
  const mode = replaced.mode & permissions;
  return isOwn(replaced) ? mode : mode & current;
}

export function isOwn({ uid }: Stats): boolean {
  return process.geteuid === undefined || uid === process.geteuid();
}

/** Sets the permissions of our own file, but not of a file that someone put in its place. */
export function setMode(path: string, modeOf: (current: number) => number): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
    const info = fstatSync(descriptor);
    // A second link means that someone else gave our file another name.
    const isOurs = isOwn(info) && (info.isDirectory() || (info.isFile() && info.nlink === 1));
    const current = info.mode & permissions;
    const wanted = modeOf(current);
    if (isOurs && wanted !== current) fchmodSync(descriptor, wanted);
  } catch {
    // The file system has no permissions, or fixed ones.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * Permissions that the umask gives a new directory, tested inside a directory that nobody else can
 * enter.
 */
export function usualDirectoryMode(inside: string): number {
  const trial = join(inside, '.mode');
  mkdirSync(trial);
  const { mode } = statSync(trial);
  rmdirSync(trial);
  return mode & permissions;
}
