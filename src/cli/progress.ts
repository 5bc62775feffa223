import { textWidth } from '../draw/width.js';
import { escapeForTerminal } from '../engine/escape.js';
import { standardInput } from '../engine/input-kind.js';
import { grouped } from '../engine/summary-text.js';
import { type ReadingProgress, type Work, type WorkWatcher, watchWork } from '../engine/work.js';

/** Time between updates of the line, in ms. */
const interval = 200;
/** Time, in ms, without output on the terminal before the line appears: shorter runs show none. */
const patience = 1000;
/** Time of reading, in ms, from which the time left can be estimated. */
const estimateFrom = 500;

type Environment = Readonly<Record<string, string | undefined>>;

/** The part of a terminal stream that the line needs. */
export interface LineOutput {
  isTTY?: boolean;
  columns?: number;
  write: NodeJS.WriteStream['write'];
}

/** Whether a person watches the stream: on a terminal that can move its cursor, and not in CI. */
export function isWatched({ isTTY }: { isTTY?: boolean }, { CI, TERM }: Environment): boolean {
  const isCi = CI !== undefined && CI !== '' && CI !== '0' && CI !== 'false';
  return isTTY === true && !isCi && TERM !== 'dumb';
}

/** The line for a reading that began `elapsed` ms ago. */
export function progressText(input: string, progress: ReadingProgress, elapsed: number): string {
  const { size, consumed, bytes, events } = progress;
  const share = size > 0 ? Math.min(consumed / size, 1) : undefined;
  // Tables are read row by row: nobody counts their bytes.
  if (bytes === 0) return `${shownName(input)}: ${grouped(events)} records`;
  const parts = [
    share === undefined ? `${grouped(Math.floor(bytes / 1e6))} MB` : `${Math.floor(100 * share)} %`,
    `${(bytes / 1e3 / Math.max(elapsed, 1)).toFixed(1)} MB/s`,
    `${grouped(events)} events`,
  ];
  if (share !== undefined && share > 0 && elapsed >= estimateFrom)
    parts.push(`${durationText(((1 - share) / share) * elapsed)} left`);
  return `${shownName(input)}: ${parts.join(', ')}`;
}

/** The line for SQL that began `elapsed` ms ago. */
export function sqlProgressText(share: number, elapsed: number): string {
  const parts = [`SQL: ${durationText(elapsed)}`];
  if (share > 0) parts.push(`${Math.floor(100 * Math.min(share, 1))} %`);
  return parts.join(', ');
}

function shownName(input: string): string {
  return input === standardInput ? 'standard input' : escapeForTerminal(input);
}

function durationText(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Shortens the input's name, at its start, so that the line fits. */
function fitted(text: string, columns: number): string {
  let shown = text;
  while (textWidth(shown) >= columns && shown.length > 0) {
    const more = Math.max(textWidth(shown) - columns, 1);
    shown = `…${[...shown].slice(more + 1).join('')}`;
    if (shown === '…') return '';
  }
  return shown;
}

/** The line for a work that began `elapsed` ms ago; undefined if there is nothing to show yet. */
function lineOf(work: Work, elapsed: number): string | undefined {
  if (!('input' in work)) return sqlProgressText(work.share(), elapsed);
  const progress = work.progress();
  // An input that has not sent anything yet has no progress to show.
  if (progress.bytes === 0 && progress.events === 0) return undefined;
  return progressText(work.input, progress, elapsed);
}

/** A line at the bottom of a terminal. Anything else that is written there removes it first. */
export class ProgressLine {
  readonly #output: LineOutput;
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  readonly #works: { work: Work; begin: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #shown = '';
  #isHeld = false;
  /** When the terminal last changed by other output, or the first work began. */
  #quietSince: number | undefined;

  constructor(output: LineOutput, now: () => number = () => performance.now()) {
    this.#output = output;
    const write = output.write.bind(output) as (text: string) => void;
    this.#write = write;
    this.#now = now;
  }

  readonly watch: WorkWatcher = (work) => {
    const entry = { work, begin: this.#now() };
    this.#works.push(entry);
    this.#quietSince ??= entry.begin;
    this.#timer ??= setInterval(() => this.update(), interval).unref();
    return () => {
      const at = this.#works.indexOf(entry);
      if (at >= 0) this.#works.splice(at, 1);
      if (this.#works.length > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.clear();
    };
  };

  /** Writes the line if it is due. */
  update(): void {
    const now = this.#now();
    const current = this.#works.at(-1);
    if (current === undefined || this.#isHeld || now - (this.#quietSince ?? now) < patience) return;
    const line = lineOf(current.work, now - current.begin);
    if (line === undefined) return;
    const text = fitted(line, this.#output.columns || 80);
    if (text === this.#shown) return;
    // Overwriting the line and then removing the rest, in one write, does not flicker.
    this.#write(`\r${text}\x1b[K`);
    this.#shown = text;
  }

  /** Removes the line. */
  clear(): void {
    if (this.#shown === '') return;
    this.#shown = '';
    this.#write('\r\x1b[K');
  }

  /**
   * Removes the line before other output; it comes back when the terminal has been quiet for a
   * while.
   */
  makeRoom(): void {
    this.clear();
    this.#quietSince = this.#now();
  }

  /** Removes the line until release(). */
  hold(): void {
    this.#isHeld = true;
    this.clear();
  }

  release(): void {
    this.#isHeld = false;
  }

  /** Calls makeRoom() before each write to a stream. */
  yieldTo(stream: LineOutput): void {
    const write = stream.write.bind(stream);
    stream.write = ((...args: Parameters<typeof write>) => {
      this.makeRoom();
      return write(...args);
    }) as typeof stream.write;
  }
}

let line: ProgressLine | undefined;

/**
 * Shows the progress of every reading and all SQL of this process on standard error, if a person
 * watches it.
 */
export function showProgress(environment: Environment = process.env): void {
  if (!isWatched(process.stderr, environment)) return;
  line = new ProgressLine(process.stderr);
  line.yieldTo(process.stderr);
  if (process.stdout.isTTY) line.yieldTo(process.stdout);
  watchWork(line.watch);
}

/**
 * Removes the line and shows none until releaseProgress(), because another program has the terminal
 * or this one ends.
 */
export function holdProgress(): void {
  line?.hold();
}

/** Shows progress again. */
export function releaseProgress(): void {
  line?.release();
}
