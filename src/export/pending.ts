import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { unwritable } from '../engine/errors.js';

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

/** A file to be. Its directory must exist. */
export function pendingFile(target: string): Pending {
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory()) {
    throw unwritable(target, { code: 'EISDIR' });
  }
  return register(target, (path) => renameSync(path, target));
}

/** A directory to be, created empty under its passing name; its files replace files of the same name. */
export function pendingDirectory(target: string): Pending {
  const name = target.replace(/[/\\]+$/, '');
  const existing = statSync(name, { throwIfNoEntry: false });
  if (existing && !existing.isDirectory()) {
    throw unwritable(target, { code: 'ENOTDIR' });
  }
  const pending = register(target, (path) => {
    if (!statSync(name, { throwIfNoEntry: false })) {
      renameSync(path, name);
      return;
    }
    for (const name of readdirSync(path)) renameSync(join(path, name), join(target, name));
    rmSync(path, { recursive: true, force: true });
  });
  try {
    mkdirSync(pending.path, { recursive: true });
  } catch (error) {
    pending.discard();
    throw unwritable(target, error);
  }
  return pending;
}

/** A directory for passing files, removed by discard() at the latest when the process ends. */
export function scratchDirectory(parent: string, shownAs: string): Pick<Pending, 'path' | 'discard'> {
  const scratch = register(join(parent, 'sfkit-scratch'), () => {});
  try {
    mkdirSync(scratch.path);
  } catch (error) {
    scratch.discard();
    throw unwritable(shownAs, error);
  }
  return scratch;
}

/** Removes every unfinished output; for the end of the process, whatever its cause. */
export function discardAll(): void {
  for (const pending of [...open]) pending.discard();
}

function register(target: string, finish: (path: string) => void): Pending {
  const trimmed = target.replace(/[/\\]+$/, '');
  const path = join(dirname(trimmed), `.${basename(trimmed)}.${process.pid}-${counter++}.part`);
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
      if (!open.delete(pending)) return;
      rmSync(path, { recursive: true, force: true });
    },
  };
  open.add(pending);
  return pending;
}
