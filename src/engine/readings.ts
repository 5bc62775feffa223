import type { NativeProgress } from './native.js';

export type { NativeProgress as ReadingProgress } from './native.js';

/** An input while the engine reads it. */
export interface Reading {
  /** A path, or - for standard input. */
  input: string;
  progress(): NativeProgress;
}

/** Called when the reading of an input starts; returns what to call at its end. */
export type ReadingWatcher = (reading: Reading) => () => void;

let watcher: ReadingWatcher | undefined;

/**
 * Reports the reading of every input of this process to a watcher. One place for the whole process,
 * so that every command has it, whatever lies between the command and the engine.
 */
export function watchReadings(watch: ReadingWatcher | undefined): void {
  watcher = watch;
}

/** Reports the beginning of a reading to the watcher, if any. */
export function beginReading(reading: Reading): () => void {
  return watcher?.(reading) ?? (() => {});
}
