import type { ReadStream, WriteStream } from 'node:tty';
import type { Screen } from '../../draw/types.js';
import type { ByteSink } from '../../output/sink.js';

/** The terminal that a shell runs on, and how to use it. */
export interface ShellHost {
  input: ReadStream;
  output: WriteStream;
  screen(): Screen | undefined;
  /** Opens the screen for one answer, through a pager if it is long. */
  open(): ByteSink;
  /** Prints an error. */
  report(error: unknown): void;
  /** Whether the error only means that the user closed the pager. */
  isEnough(error: unknown): boolean;
  /** Calls `interrupt` at Ctrl-C until the returned function is called. */
  onInterrupt(interrupt: () => void): () => void;
}
