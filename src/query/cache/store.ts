import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { privateFile } from '../../output/mode.js';
import { scratchDirectory } from '../../output/pending.js';
import { contentOf, type FileState, stateOf } from './content.js';
import {
  type Description,
  databaseName,
  describeEntry,
  readDescription,
  readEntry,
  sync,
  useMarkOf,
} from './entry-file.js';
import { CacheFailure } from './failure.js';
import { makeDirectory, placesIn } from './place.js';
import type { CacheEntry, CacheListing, CachePart } from './types.js';

/** What to keep of an input, and how to make it. */
export interface Wanted {
  part: CachePart;
  /** Everything besides the content of the input that decides the result. */
  key: string;
  /** Reads the input into a new database file; throws CacheFailure if only the cache failed. */
  make(database: string, scratch: string): Promise<CacheEntry['summary']>;
}

/** An entry to use. */
export interface Provided extends CacheEntry {
  /** To be called when the database is open: the file may be removed then. */
  release(): void;
}

/** Milliseconds after which unfinished work of another machine counts as left over. */
const maxWork = 24 * 60 * 60 * 1000;

/**
 * The parts of inputs that earlier runs read, by content. Entries never change: a run makes one
 * under another name and renames it, and a run that has one open keeps it when it is removed.
 */
export class CaptureCache {
  readonly #places: ReturnType<typeof placesIn>;
  readonly #limit: number;

  /** `directory` is private; `limit`: maximum bytes of all entries. */
  constructor(directory: string, limit: number) {
    this.#places = placesIn(directory);
    this.#limit = limit;
  }

  /**
   * The entry for an input, made if it is missing. Undefined if the cache cannot be used for it.
   */
  async provide(
    input: string,
    wanted: Wanted,
    signal?: AbortSignal,
  ): Promise<Provided | undefined> {
    const state = stateOf(input);
    if (state === undefined) return undefined;
    try {
      for (const place of Object.values(this.#places)) makeDirectory(place);
      const content = await this.#knownContent(input, state, signal);
      const found =
        content === undefined ? undefined : await this.#find(nameOf(state, content, wanted.key));
      if (found !== undefined) return { ...found, release: () => {} };
      return await this.#make(input, state, content, wanted, signal);
    } catch (error) {
      if (signal?.aborted || !(error instanceof CacheFailure || isOfFiles(error))) throw error;
      return undefined;
    }
  }

  /** Removes an entry that turned out to be damaged. */
  remove({ path }: CacheEntry): void {
    this.#removeEntry(basename(join(path, '..')));
  }

  /** All sound entries, the last used first. */
  list(): CacheListing[] {
    return this.#entries()
      .flatMap(({ name, bytes, used }) => {
        const description = descriptionOf(join(this.#places.entries, name));
        if (description === undefined) return [];
        const { input, part, made } = description;
        return [{ input, part, bytes, made, used }];
      })
      .reverse();
  }

  /** Removes all entries; returns how many, and their bytes. */
  clear(): { entries: number; bytes: number } {
    const entries = this.#entries();
    for (const { name } of entries) this.#removeEntry(name);
    this.#forgetFiles();
    this.#removeOldWork();
    return { entries: entries.length, bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /** The content of an input as far as it can matter: undefined if no entry has its size. */
  async #knownContent(
    input: string,
    state: FileState,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const known = namesIn(this.#places.files).find((name) => name.startsWith(`${state.stamp}-`));
    if (known !== undefined) return known.slice(state.stamp.length + 1);
    if (!namesIn(this.#places.entries).some((name) => name.startsWith(`${state.size}-`)))
      return undefined;
    const content = await contentOf(input, signal);
    if (stateOf(input)?.stamp !== state.stamp) return undefined;
    this.#remember(state, content);
    return content;
  }

  /** Lets later runs know the content of an unchanged file without reading it. */
  #remember({ stamp, isSettled }: FileState, content: string): void {
    if (isSettled)
      writeFileSync(join(this.#places.files, `${stamp}-${content}`), '', { mode: privateFile });
  }

  async #find(name: string): Promise<CacheEntry | undefined> {
    const directory = join(this.#places.entries, name);
    if (!existsSync(directory)) return undefined;
    const entry = await readEntry(directory);
    if (entry === undefined) {
      this.#removeEntry(name);
      return undefined;
    }
    const now = new Date();
    utimesSync(useMarkOf(directory), now, now);
    return entry;
  }

  async #make(
    input: string,
    state: FileState,
    known: string | undefined,
    { part, key, make }: Wanted,
    signal?: AbortSignal,
  ): Promise<Provided> {
    const scratch = scratchDirectory(this.#places.work, this.#places.work);
    const directory = join(scratch.path, 'entry');
    const path = join(directory, databaseName);
    const stop = new AbortController();
    const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    try {
      mkdirSync(directory, 0o700);
      // The engine reads the input on its own thread at the same time.
      const reading = known === undefined ? contentOf(input, either) : Promise.resolve(known);
      reading.catch(() => {});
      const summary = await make(path, scratch.path);
      chmodSync(path, privateFile);
      const content = await reading;
      if (stateOf(input)?.stamp === state.stamp) {
        await describeEntry(directory, { input: resolve(input), part, made: Date.now(), summary });
        const name = nameOf(state, content, key);
        if (this.#commit(directory, name)) {
          scratch.discard();
          this.#remember(state, content);
          const entry = { path: join(this.#places.entries, name, databaseName), summary };
          return { ...entry, release: () => this.#evict() };
        }
      }
      // The input changed meanwhile, or another run made the same entry: only this run uses its
      // own.
      return { path, summary, release: () => scratch.discard() };
    } catch (error) {
      stop.abort();
      scratch.discard();
      throw error;
    }
  }

  /** Gives an entry its name; false if that is taken. */
  #commit(directory: string, name: string): boolean {
    try {
      renameSync(directory, join(this.#places.entries, name));
      sync(this.#places.entries);
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      throw error;
    }
  }

  /** Removes the entries that were not used for longest, until the others are within the limit. */
  #evict(): void {
    try {
      const entries = this.#entries();
      let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
      for (const { name, bytes } of entries) {
        if (total <= this.#limit) break;
        this.#removeEntry(name);
        total -= bytes;
      }
      this.#forgetFiles();
      this.#removeOldWork();
    } catch (error) {
      // Another run removes entries too.
      if (!isOfFiles(error)) throw error;
    }
  }

  /** The last used comes last. An entry without a readable description counts as never used. */
  #entries(): { name: string; bytes: number; used: number }[] {
    const entries = namesIn(this.#places.entries).map((name) => {
      const directory = join(this.#places.entries, name);
      const mark = statSync(useMarkOf(directory), { throwIfNoEntry: false });
      const database = statSync(join(directory, databaseName), { throwIfNoEntry: false });
      return { name, bytes: (database?.size ?? 0) + (mark?.size ?? 0), used: mark?.mtimeMs ?? 0 };
    });
    return entries.sort((left, right) => left.used - right.used);
  }

  /** Takes an entry out of reach, then removes it. */
  #removeEntry(name: string): void {
    const trash = scratchDirectory(this.#places.work, this.#places.work);
    try {
      renameSync(join(this.#places.entries, name), join(trash.path, 'entry'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    } finally {
      trash.discard();
    }
  }

  /** Forgets files whose content has no entry. */
  #forgetFiles(): void {
    const contents = new Set(namesIn(this.#places.entries).map((name) => name.split('-')[1]));
    for (const name of namesIn(this.#places.files))
      if (!contents.has(name.split('-')[1])) unlinkQuietly(join(this.#places.files, name));
  }

  /** Removes unfinished work of runs on other machines, which no run there may remove any more. */
  #removeOldWork(): void {
    for (const name of namesIn(this.#places.work)) {
      const path = join(this.#places.work, name);
      const info = statSync(path, { throwIfNoEntry: false });
      if (info !== undefined && Date.now() - info.mtimeMs > maxWork)
        rmSync(path, { recursive: true, force: true });
    }
  }
}

function descriptionOf(directory: string): Description | undefined {
  try {
    return readDescription(directory);
  } catch {
    return undefined;
  }
}

function nameOf({ size }: FileState, content: string, key: string): string {
  return `${size}-${content}-${key}`;
}

/** Nothing if the directory is missing. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another run removed it.
  }
}

function isTaken(error: unknown): boolean {
  return ['EEXIST', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Whether the file system refused something, directly or in an SfkitError about it. */
function isOfFiles(error: unknown): boolean {
  const { syscall, cause } = error as NodeJS.ErrnoException;
  return (
    syscall !== undefined ||
    (cause !== undefined && (cause as NodeJS.ErrnoException).syscall !== undefined)
  );
}
