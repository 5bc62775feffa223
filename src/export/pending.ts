import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { unwritable } from '../engine/errors.js';
import { machine, removeLeftovers } from './leftovers.js';
import { lookAt } from './target.js';

// Output appears whole: it is written under another name in the same directory and renamed at the end.

const open = new Set<Pending>();
let counter = 0;

/** A file or directory that is being written and does not show under its name yet. */
export interface Pending {
  /** Where to write. */
  readonly path: string;
  /** Gives the output its name; what stood there before is replaced. */
  commit(): void;
  /** Removes what was written; nothing happens after commit(). */
  discard(): void;
}

/** How an output is made. */
export interface PendingOptions {
  /** It has a name to be found under while it is under way, NAME.part, and stays there if it is never finished. */
  keeps?: boolean | undefined;
  /** Nobody typed its name: nothing that is there or under way is replaced (EEXIST; see withNewName). */
  isNew?: boolean | undefined;
  /** Only its owner may read it. */
  isPrivate?: boolean | undefined;
}

/** Permissions of a file, before the umask. */
export function modeOf({ isPrivate }: PendingOptions): number {
  return isPrivate ? 0o600 : 0o666;
}

/** A file to be, in place of a regular file or of none; what a link points to is replaced, not the link. */
export function pendingFile(target: string, options: PendingOptions = {}): Pending {
  const { kind, path: place } = lookAt(target);
  if (kind === 'directory') throw unwritable(target, { code: 'EISDIR' });
  return register(place, target, (path) => renameSync(path, place), options);
}

/** A directory to be, created empty under its passing name; its files replace files of the same name. */
export function pendingDirectory(target: string, options: PendingOptions = {}): Pending {
  const { kind, path: place } = lookAt(target.replace(/[/\\]+$/, ''));
  if (kind === 'file' || kind === 'stream') throw unwritable(target, { code: 'ENOTDIR' });
  const pending = register(
    place,
    target,
    (path) => {
      if (lookAt(place).kind === 'nothing') {
        renameSync(path, place);
        return;
      }
      for (const name of readdirSync(path)) renameSync(join(path, name), join(place, name));
      rmSync(path, { recursive: true, force: true });
    },
    options,
  );
  try {
    mkdirSync(dirname(pending.path), { recursive: true });
    // Not through what others may have put there.
    mkdirSync(pending.path, options.isPrivate ? 0o700 : 0o777);
  } catch (error) {
    pending.discard();
    throw unwritable(target, error);
  }
  return pending;
}

/** A directory for passing files, removed by discard() at the latest when the process ends. */
export function scratchDirectory(
  parent: string,
  shownAs: string,
  { isPrivate }: PendingOptions = {},
): Pick<Pending, 'path' | 'discard'> {
  const scratch = register(join(parent, 'sfkit-scratch'), shownAs, () => {});
  try {
    mkdirSync(scratch.path, isPrivate ? 0o700 : 0o777);
  } catch (error) {
    scratch.discard();
    throw unwritable(shownAs, error);
  }
  return scratch;
}

/** Removes every unfinished output; for the end of the process, whatever its cause. */
export function discardAll(): void {
  for (const pending of [...open]) {
    try {
      pending.discard();
    } catch {
      // What cannot be removed must not keep the rest from being removed.
    }
  }
}

function register(
  place: string,
  target: string,
  finish: (path: string) => void,
  { keeps = false, isNew = false }: PendingOptions = {},
): Pending {
  removeLeftovers(dirname(place));
  const part = `${place}.part`;
  const path = keeps ? (isNew ? part : unusedName(part)) : hiddenName(place);
  const pending: Pending = {
    path,
    commit() {
      try {
        finish(path);
      } catch (error) {
        pending.discard();
        throw unwritable(target, error);
      }
      open.delete(pending);
    },
    discard() {
      if (!open.delete(pending) || keeps) return;
      // DuckDB may still be making files on a thread of its own: it does not find the way to another name.
      const grave = hiddenName(place);
      let gone = path;
      try {
        renameSync(path, grave);
        gone = grave;
      } catch {
        // It was not made yet, or cannot be moved.
      }
      rmSync(gone, { recursive: true, force: true });
    },
  };
  open.add(pending);
  return pending;
}

/** Beside the place, as leftovers.ts knows it. What a process of the same number left, in a container, may be there. */
function hiddenName(place: string): string {
  for (;;) {
    const name = join(dirname(place), `.${basename(place)}.${process.pid}-${counter++}.${machine}.part`);
    if (!isThere(name)) return name;
  }
}

/** The name, or with a number behind it: what an earlier run left stays. A link that leads nowhere is something, too. */
function unusedName(wanted: string): string {
  let name = wanted;
  for (let count = 1; isThere(name); count++) name = `${wanted}.${count}`;
  return name;
}

/**
 * Makes an output under a name that nobody has or is about to have: the wanted one or, where that is taken, with -1, -2, ...
 * behind it. `make` is to use the option isNew.
 */
export async function withNewName<Made>(wanted: string, make: (name: string) => Made | Promise<Made>): Promise<Made> {
  for (let count = 0; ; count++) {
    const name = count === 0 ? wanted : `${wanted}-${count}`;
    if (isThere(name) || isThere(`${name}.part`)) continue;
    try {
      return await make(name);
    } catch (error) {
      // Another run was quicker.
      if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code !== 'EEXIST') throw error;
    }
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
