import { chmodSync, lstatSync, mkdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Environment } from '../../engine/config.js';
import { reasonOf } from '../../engine/errors.js';
import type { CachePlace } from './types.js';

const privateDirectory = 0o700;
const writableByOthers = 0o022;
const sticky = 0o1000;

/** Finds the user's cache directory and, if `makes`, creates it. */
export function cachePlace(env: Environment, makes: boolean): CachePlace {
  const user = process.geteuid?.();
  if (user === undefined) return { kind: 'unavailable', reason: 'this system has no user ids' };
  const parent = parentOf(env);
  if (parent === undefined)
    return { kind: 'unavailable', reason: 'neither XDG_CACHE_HOME nor HOME names a directory' };
  const path = join(parent, 'sfkit');
  try {
    if (makes) {
      // One level: a home directory that does not exist is not to be created.
      makeDirectory(parent);
      makeDirectory(path);
    }
    const around = statSync(parent, { throwIfNoEntry: false });
    const info = lstatSync(path, { throwIfNoEntry: false });
    if (around === undefined || info === undefined) return { kind: 'usable', path };
    const reason = danger(parent, around, user) ?? dangerIn(path, info, user);
    if (reason !== undefined) return { kind: 'unsafe', reason };
    if ((info.mode & 0o777) !== privateDirectory) chmodSync(path, privateDirectory);
    // A link in a parent directory could lead to another place later.
    return { kind: 'usable', path: join(realpathSync(parent), 'sfkit') };
  } catch (error) {
    return { kind: 'unavailable', reason: `cannot use ${path}: ${reasonOf(error)}` };
  }
}

/** $XDG_CACHE_HOME if it is absolute, as its specification demands, else ~/.cache. */
function parentOf({ XDG_CACHE_HOME: cache, HOME: home }: Environment): string | undefined {
  if (cache !== undefined && isAbsolute(cache)) return cache;
  return home !== undefined && isAbsolute(home) ? join(home, '.cache') : undefined;
}

/** Creates a directory that only its owner can enter, if nothing is there. */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, privateDirectory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Why others could put another directory in place of ours. */
function danger(parent: string, { mode, uid }: Stats, user: number): string | undefined {
  if (uid !== user && uid !== 0) return `${parent} belongs to another user`;
  return (mode & writableByOthers) !== 0 && (mode & sticky) === 0
    ? `others can write to ${parent}`
    : undefined;
}

/** Why the directory is not ours alone. */
function dangerIn(path: string, info: Stats, user: number): string | undefined {
  if (info.isSymbolicLink()) return `${path} is a symbolic link`;
  if (!info.isDirectory()) return `${path} is not a directory`;
  if (info.uid !== user) return `${path} belongs to another user`;
  return (info.mode & writableByOthers) !== 0 ? `others can write to ${path}` : undefined;
}

/** The directories in the cache: entries, the contents of known files, and unfinished work. */
export function placesIn(directory: string): { entries: string; files: string; work: string } {
  return {
    entries: join(directory, 'entries'),
    files: join(directory, 'files'),
    work: join(directory, 'work'),
  };
}
