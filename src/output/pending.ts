import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { unwritable } from '../engine/errors.js';
import { machine, removeLeftovers } from './leftovers.js';
import { fileAt, isOwn, modeInPlaceOf, privateFile, publicFile, setMode, usualDirectoryMode } from './mode.js';
import { makeOwnDirectory, type OwnDirectory } from './own-directory.js';
import { lookAt } from './target.js';

// Output appears whole: it is written under another name in the same directory and renamed at the end.

const open = new Set<Pending>();
let counter = 0;

/** A file or directory that is being written and does not show under its name yet. */
export interface Pending {
  /** Where to write. */
  readonly path: string;
  /** Permissions to make a file with, before the umask. */
  readonly mode: number;
  /** Gives the output its name; what stood there before is replaced. `from` is where it was written, if not in `path`. */
  commit(from?: string): void;
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

/** A file to be, in place of a regular file or of none; what a link points to is replaced, not the link. */
export function pendingFile(target: string, options: PendingOptions = {}): Pending {
  const { kind, path: place } = lookAt(target);
  if (kind === 'directory') throw unwritable(target, { code: 'EISDIR' });
  const replaced = fileAt(place);
  return register(place, target, options, {
    // Until it has its permissions; new outputs get theirs from the umask.
    mode: options.isPrivate || (replaced && isOwn(replaced)) ? privateFile : publicFile,
    finish: (from) => {
      giveMode(from, fileAt(place) ?? replaced, options);
      renameSync(from, place);
    },
    remove: removeFile,
  });
}

/** A directory to be, created empty under its passing name; its files replace files of the same name. */
export function pendingDirectory(target: string, options: PendingOptions = {}): Pending {
  const { kind, path: place } = lookAt(target.replace(/[/\\]+$/, ''));
  if (kind === 'file' || kind === 'stream') throw unwritable(target, { code: 'ENOTDIR' });
  let own: OwnDirectory | undefined;
  const pending = register(place, target, options, {
    mode: options.isPrivate ? privateFile : publicFile,
    finish: (from) => {
      const isNew = lookAt(place).kind === 'nothing';
      const names = readdirSync(from);
      for (const name of names) giveMode(join(from, name), fileAt(join(place, name)), options);
      if (isNew) {
        if (!options.isPrivate) setMode(from, constantly(usualDirectoryMode(from)));
        renameSync(from, place);
        return;
      }
      for (const name of names) renameSync(join(from, name), join(place, name));
      rmdirSync(from);
    },
    remove: (path) => own?.remove(path),
  });
  try {
    mkdirSync(dirname(pending.path), { recursive: true });
    own = makeOwnDirectory(pending.path);
  } catch (error) {
    pending.discard();
    throw unwritable(target, error);
  }
  return pending;
}

/** A directory for passing files that only the own user can enter, removed by discard() at the latest when the process ends. */
export function scratchDirectory(parent: string, shownAs: string): Pick<Pending, 'path' | 'discard'> {
  let own: OwnDirectory | undefined;
  const scratch = register(
    join(parent, 'sfkit-scratch'),
    shownAs,
    {},
    {
      mode: privateFile,
      finish: () => {},
      remove: (path) => own?.remove(path),
    },
  );
  try {
    own = makeOwnDirectory(scratch.path);
  } catch (error) {
    scratch.discard();
    throw unwritable(shownAs, error);
  }
  return scratch;
}

/** The permissions of what the output replaces; a new one has got its own from the umask. */
function giveMode(path: string, replaced: Stats | undefined, { isPrivate }: PendingOptions): void {
  if (isPrivate) setMode(path, constantly(privateFile));
  else if (replaced) setMode(path, (current) => modeInPlaceOf(replaced, current));
}

const constantly = (mode: number) => () => mode;

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not made yet.
  }
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

interface Making {
  mode: number;
  finish(from: string): void;
  remove(path: string): void;
}

function register(
  place: string,
  target: string,
  { keeps = false, isNew = false }: PendingOptions,
  { mode, finish, remove }: Making,
): Pending {
  removeLeftovers(dirname(place));
  const part = `${place}.part`;
  const path = keeps ? (isNew ? part : unusedName(part)) : hiddenName(place);
  const pending: Pending = {
    path,
    mode,
    commit(from = path) {
      try {
        finish(from);
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
      remove(gone);
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
