import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { reasonOf } from '../../engine/errors.js';
import { privateFile } from '../../output/mode.js';
import { fileSink } from '../../output/sink.js';
import { tokensOf } from '../sql-tokens.js';

/** Maximum entries, and characters of one. */
const maxEntries = 1000;
const maxLength = 20_000;
/** The file is cut to the newest entries beyond this size in bytes. */
const maxBytes = 1 << 20;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The file of the history: $SFKIT_HISTORY, or a file in the user's state directory. Undefined:
 * none.
 */
export function historyFile(
  { SFKIT_HISTORY, XDG_STATE_HOME }: Environment = process.env,
): string | undefined {
  if (SFKIT_HISTORY !== undefined) return SFKIT_HISTORY === '' ? undefined : SFKIT_HISTORY;
  if (XDG_STATE_HOME) return join(XDG_STATE_HOME, 'sfkit', 'query-history');
  try {
    return join(homedir(), '.local', 'state', 'sfkit', 'query-history');
  } catch {
    return undefined;
  }
}

/** What the user entered, newest first. Several shells can append to one file. */
export class History {
  readonly entries: string[] = [];
  /** Why entries are not written; undefined while they are. */
  problem: string | undefined;
  #path: string | undefined;

  /** `path`: undefined keeps the entries in memory only. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** Reads the file, and shortens it if it is too long. */
  async load(): Promise<void> {
    const path = this.#path;
    if (path === undefined) return;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const text = readHistory(path);
      const recent =
        text.length <= maxBytes ? text : text.slice(text.indexOf('\n', text.length - maxBytes) + 1);
      for (const line of recent.split('\n')) this.#keep(line);
      const kept = this.entries.toReversed().map((entry) => `${entry}\n`);
      if (Buffer.byteLength(text) <= maxBytes && text.split('\n').length <= 2 * maxEntries) return;
      const sink = fileSink(path, { isPrivate: true });
      await sink.write(kept.join(''));
      await sink.close();
    } catch (error) {
      this.#fail(error);
    }
  }

  add(text: string): void {
    for (const entry of entriesOf(text)) {
      if (!this.#keep(entry) || this.#path === undefined) continue;
      try {
        appendEntry(this.#path, entry);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  /** Adds an entry as the newest one; returns false if there is nothing to add. */
  #keep(line: string): boolean {
    if (line.trim() === '' || line.length > maxLength || control.test(line)) return false;
    if (this.entries[0] === line) return false;
    const earlier = this.entries.indexOf(line);
    if (earlier > 0) this.entries.splice(earlier, 1);
    this.entries.unshift(line);
    if (this.entries.length > maxEntries) this.entries.pop();
    return true;
  }

  #fail(error: unknown): void {
    this.problem = `the history is not kept: ${this.#path}: ${reasonOf(error)}`;
    this.#path = undefined;
  }
}

/** Characters that the terminal must not get back. */
const control = /[\x00-\x1f\x7f-\x9f]/;

/**
 * A statement of several lines as one line, or as its lines if strings or comments need the line
 * ends.
 */
function entriesOf(text: string): string[] {
  const lines = text.trim().split('\n');
  if (lines.length === 1) return lines;
  const tokens = tokensOf(text);
  const needsLines = tokens.some(
    (token) => token.text.startsWith('--') || (token.kind !== 'blank' && token.text.includes('\n')),
  );
  return needsLines ? lines : [lines.map((line) => line.trim()).join(' ')];
}

function readHistory(path: string): string {
  const descriptor = openSync(
    path,
    constants.O_RDONLY | constants.O_CREAT | (constants.O_NONBLOCK ?? 0),
    privateFile,
  );
  try {
    const info = fstatSync(descriptor);
    // Users link it to /dev/null to have none.
    if (!info.isFile()) return '';
    if ((info.mode & 0o077) !== 0) fchmodSync(descriptor, privateFile);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function appendEntry(path: string, entry: string): void {
  const flags =
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);
  const descriptor = openSync(path, flags, privateFile);
  try {
    writeSync(descriptor, `${entry}\n`);
  } finally {
    closeSync(descriptor);
  }
}
