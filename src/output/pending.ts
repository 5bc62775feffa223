import {
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { unwritable } from '../engine/errors.js';
import { machine, removeLeftovers } from './leftovers.js';
import {
  fileAt,
  isOwn,
  modeInPlaceOf,
  privateFile,
  publicFile,
  setMode,
  usualDirectoryMode,
} from './mode.js';
import { makeOwnDirectory, type OwnDirectory } from './own-directory.js';
import { lookAt } from './target.js';

// Output appears complete: it is written under another name in the same directory and renamed at
// the end.

const open = new Set<Pending>();
let counter = 0;

/** A file or directory that is being written and does not have its name yet. */
export interface Pending {
  /** Where to write. */
  readonly path: string;
  /** Permissions for creating a file, before the umask. */
  readonly mode: number;
  /**
   * Gives the output its name and replaces what was there. `from`: where it was written, if not in
   * `path`.
   */
  commit(from?: string): void;
  /** Removes the output; does nothing after commit(). */
  discard(): void;
}

/** How to create an output. */
export interface PendingOptions {
  /** While unfinished, the output is NAME.part; it stays there if it is never finished. */
  keeps?: boolean | undefined;
  /**
   * The name is generated: replace neither an existing nor an unfinished output (EEXIST; see
   * withNewName).
   */
  isNew?: boolean | undefined;
  /** Only its owner can read it. */
  isPrivate?: boolean | undefined;
}

/**
 * Creates a pending file that is new or replaces a regular file. A link's target is replaced, not
 * the link.
 */
export function pendingFile(target: string, options: PendingOptions = {}): Pending {
  const { kind, path: place } = lookAt(target);
  if (kind === 'directory') throw unwritable(target, { code: 'EISDIR' });
  const replaced = fileAt(place);
  return register(place, target, options, {
    // Private until commit() sets the final permissions; new outputs get theirs from the umask.
    mode: options.isPrivate || (replaced && isOwn(replaced)) ? privateFile : publicFile,
    finish: (from) => {
      giveMode(from, fileAt(place) ?? replaced, options);
      renameSync(from, place);
    },
    remove: removeFile,
  });
}

/**
 * Creates a pending directory, empty under a temporary name. Its files replace files of the same
 * name.
 */
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

/**
 * Creates a private directory for temporary files. discard() or the end of the process removes it.
 */
export function scratchDirectory(
  parent: string,
  shownAs: string,
): Pick<Pending, 'path' | 'discard'> {
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

/** Sets the permissions of the replaced file; a new file has those of the umask. */
function giveMode(path: string, replaced: Stats | undefined, { isPrivate }: PendingOptions): void {
  if (isPrivate) setMode(path, constantly(privateFile));
  else if (replaced) setMode(path, (current) => modeInPlaceOf(replaced, current));
}

const constantly = (mode: number) => () => mode;

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It does not exist yet.
  }
}

/** Removes every unfinished output; called at the end of the process, whatever its cause. */
export function discardAll(): void {
  for (const pending of [...open]) {
    try {
      pending.discard();
    } catch {
      // A failure must not keep the others from being removed.
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
      // DuckDB may still create files on its own thread; after the rename it cannot find the
      // directory.
      const trash = hiddenName(place);
      let location = path;
      try {
        renameSync(path, trash);
        location = trash;
      } catch {
        // It does not exist yet, or cannot be moved.
      }
      remove(location);
    },
  };
  open.add(pending);
  return pending;
}

/**
 * A name in the same directory that leftovers.ts recognizes and nobody uses, such as an earlier
 * process with our pid.
 */
function hiddenName(place: string): string {
  for (;;) {
    const name = join(
      dirname(place),
      `.${basename(place)}.${process.pid}-${counter++}.${machine}.part`,
    );
    if (!isThere(name)) return name;
  }
}

/** The name, with a number appended if an earlier run left it. A dangling link counts as taken. */
function unusedName(wanted: string): string {
  let name = wanted;
  for (let count = 1; isThere(name); count++) name = `${wanted}.${count}`;
  return name;
}

/**
 * Creates an output under a name that is neither taken nor pending: the wanted name or, if it is
 * taken, with -1, -2 and so on appended. `make` must use the option isNew.
 */
export async function withNewName<Made>(
  wanted: string,
  make: (name: string) => Made | Promise<Made>,
): Promise<Made> {
  for (let count = 0; ; count++) {
    const name = count === 0 ? wanted : `${wanted}-${count}`;
    if (isThere(name) || isThere(`${name}.part`)) continue;
    try {
      return await make(name);
    } catch (error) {
      // Another run took the name first.
      if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code !== 'EEXIST')
        throw error;
    }
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
