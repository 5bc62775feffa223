import {
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { unwritable } from '../engine/errors.js';

/** What an output's name refers to. */
export interface Target {
  /** stream: a device, pipe or socket, which must never be replaced. */
  kind: 'nothing' | 'file' | 'directory' | 'stream';
  /** Its path after following links. */
  path: string;
}

/** Maximum links to follow, as in Linux. */
const maxLinks = 40;

export function lookAt(target: string): Target {
  try {
    // Also resolves names like /dev/stdout, whose links cannot be followed step by step.
    const info = statSync(target, { throwIfNoEntry: false });
    if (info === undefined) return { kind: 'nothing', path: endOfLinks(target) };
    if (!info.isFile() && !info.isDirectory()) return { kind: 'stream', path: target };
    return {
      kind: info.isFile() ? 'file' : 'directory',
      path: isLink(target) ? realpathSync(target) : target,
    };
  } catch (error) {
    throw unwritable(target, error);
  }
}

/** The path that a dangling link leads to. */
function endOfLinks(target: string): string {
  let path = target;
  for (let count = 0; count < maxLinks && isLink(path); count++) {
    path = resolve(realpathSync(dirname(path)), readlinkSync(path));
  }
  return path;
}

function isLink(path: string): boolean {
  const info: Stats | undefined = lstatSync(path, { throwIfNoEntry: false });
  return info?.isSymbolicLink() === true;
}

/** Whether two outputs are the same file, even if it does not exist yet. */
export function isSameTarget(left: string, right: string): boolean {
  return placeOf(left) === placeOf(right);
}

function placeOf(target: string): string {
  const path = resolve(lookAt(target).path);
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
}

/** Throws if the file's directory does not exist. */
export function refuseMissingDirectory(file: string): void {
  if (!existsSync(dirname(file))) throw unwritable(file, { code: 'ENOENT' });
}

/** Creates a directory and its parents if they are missing. */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw unwritable(path, reasonFor(path, error));
  }
}

/**
 * The real reason of a failed mkdir: with `recursive`, Node.js reports ENOENT for read-only file
 * systems.
 */
function reasonFor(path: string, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error;
  try {
    mkdirSync(path);
  } catch (alone) {
    return alone;
  }
  return error;
}
