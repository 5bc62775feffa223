import type { NativeProgress } from './native.js';

export type { NativeProgress as ReadingProgress } from './native.js';

/** An input while the engine reads it. */
export interface Reading {
  /** A path, or - for standard input. */
  input: string;
  progress(): NativeProgress;
}

/** SQL while DuckDB runs it. */
export interface RunningSql {
  /** From 0 to 1; 0 also if it is unknown. */
  share(): number;
}

export type Work = Reading | RunningSql;

/** Called when a work starts; returns what to call at its end. */
export type WorkWatcher = (work: Work) => () => void;

let watcher: WorkWatcher | undefined;

/**
 * Reports the reading of every input of this process, and all SQL that runs, to a watcher. One
 * place for the whole process, so that every command has it, whatever lies between the command and
 * the engine.
 */
export function watchWork(watch: WorkWatcher | undefined): void {
  watcher = watch;
}

/** Reports the beginning of a work to the watcher, if any. */
export function beginWork(work: Work): () => void {
  return watcher?.(work) ?? (() => {});
}
