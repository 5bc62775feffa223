import { existsSync, lstatSync, mkdirSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { unwritable } from '../engine/errors.js';

/** What an output's name stands for. */
export interface Target {
  /** stream: a device, pipe or socket, which takes bytes and must never be replaced. */
  kind: 'nothing' | 'file' | 'directory' | 'stream';
  /** Where it is when links are followed. */
  path: string;
}

/** As many links as Linux follows. */
const maxLinks = 40;

export function lookAt(target: string): Target {
  try {
    // Also through names like /dev/stdout, whose links cannot be followed by hand.
    const info = statSync(target, { throwIfNoEntry: false });
    if (info === undefined) return { kind: 'nothing', path: endOfLinks(target) };
    if (!info.isFile() && !info.isDirectory()) return { kind: 'stream', path: target };
    return { kind: info.isFile() ? 'file' : 'directory', path: isLink(target) ? realpathSync(target) : target };
  } catch (error) {
    throw unwritable(target, error);
  }
}

/** Where a link that points to nothing yet would have its file. */
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

/** Whether two outputs would be one, whether or not they are there. */
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

/** Throws if there is no directory to write the file in. */
export function refuseMissingDirectory(file: string): void {
  if (!existsSync(dirname(file))) throw unwritable(file, { code: 'ENOENT' });
}

/** Makes a directory where it is missing, and those above it. */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw unwritable(path, reasonFor(path, error));
  }
}

/** Why a directory is not made: with `recursive` Node.js says ENOENT for file systems that are read-only. */
function reasonFor(path: string, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error;
  try {
    mkdirSync(path);
  } catch (alone) {
    return alone;
  }
  return error;
}
