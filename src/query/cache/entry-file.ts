import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Summary } from '../../engine/summary.js';
import { privateFile } from '../../output/mode.js';
import { writeAll } from '../../output/sink.js';
import { contentOf, digest, stampOf } from './content.js';
import type { CacheEntry, CachePart } from './types.js';

// An entry is a directory with a database and a description of it, which says what the database
// must be like.

export const databaseName = 'tables.duckdb';
const descriptionName = 'entry.json';

/** What an entry is, as its file describes it. */
export interface Description {
  input: string;
  part: CachePart;
  made: number;
  summary: Summary;
  /** Of the database file. */
  bytes: number;
  stamp: string;
  content: string;
}

/** Describes the database in a directory, and brings both to the disk. */
export async function describeEntry(
  directory: string,
  about: Pick<Description, 'input' | 'part' | 'made' | 'summary'>,
): Promise<void> {
  const database = join(directory, databaseName);
  sync(database);
  const info = statSync(database, { bigint: true });
  const content = await contentOf(database);
  writeDescription(directory, {
    ...about,
    bytes: Number(info.size),
    stamp: stampOf(info),
    content,
  });
  sync(directory);
}

/** Undefined if the entry is incomplete or damaged. */
export async function readEntry(directory: string): Promise<CacheEntry | undefined> {
  const path = join(directory, databaseName);
  try {
    const description = readDescription(directory);
    const info = statSync(path, { bigint: true });
    if (stampOf(info) !== description.stamp) {
      // It was copied or changed.
      if (
        Number(info.size) !== description.bytes ||
        (await contentOf(path)) !== description.content
      )
        return undefined;
      writeDescription(directory, { ...description, stamp: stampOf(info) });
    }
    return { path, summary: description.summary };
  } catch {
    return undefined;
  }
}

/** The path whose modification time is the last use of an entry. */
export function useMarkOf(directory: string): string {
  return join(directory, descriptionName);
}

/** Throws if the description is damaged. */
export function readDescription(directory: string): Description {
  const text = readFileSync(join(directory, descriptionName), 'utf8');
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  if (text.slice(0, end) !== digest(body))
    throw new Error('the description of a cache entry is damaged');
  return JSON.parse(body, toBigint) as Description;
}

let counter = 0;

/** Replaces the description as a whole: another run may read it. */
function writeDescription(directory: string, description: Description): void {
  const body = JSON.stringify(description, fromBigint);
  const path = join(directory, descriptionName);
  const pending = `${path}.${process.pid}-${counter++}`;
  const descriptor = openSync(pending, 'wx', privateFile);
  try {
    writeAll(descriptor, Buffer.from(`${digest(body)}\n${body}`));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(pending, path);
}

/** Brings a file or directory to the disk. */
export function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function fromBigint(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { bigint: String(value) } : value;
}

function toBigint(_name: string, value: unknown): unknown {
  const digits = (value as { bigint?: unknown } | null)?.bigint;
  return typeof digits === 'string' ? BigInt(digits) : value;
}
