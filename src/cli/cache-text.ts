import { drawn } from '../draw/drawing.js';
import type { Screen } from '../draw/types.js';
import { escapeForTerminal } from '../engine/escape.js';
import { grouped } from '../engine/summary-text.js';
import { isoTime } from '../export/values.js';
import type { CacheListing } from '../query/cache/types.js';

/** What the cache holds. */
export interface CacheInfo {
  directory: string;
  limit: number;
  bytes: number;
  entries: readonly CacheListing[];
}

const columns = [
  { name: 'input' },
  { name: 'tables' },
  { name: 'bytes', right: true },
  { name: 'last used', long: 'time' },
] as const;

/** Formats the contents of the cache for people. */
export function cacheText(
  { directory, limit, bytes, entries }: CacheInfo,
  screen: Screen | undefined,
): string {
  const rows = entries.map(({ input, part, bytes, used }) => [
    input,
    part,
    grouped(BigInt(bytes)),
    timeOf(used),
  ]);
  const table = entries.length === 0 ? '' : drawn(columns, rows, screen);
  const sum = `${grouped(BigInt(bytes))} of ${grouped(BigInt(limit))} bytes`;
  return `${table}${escapeForTerminal(directory)}: ${sum}\n`;
}

/** The same as an object for programs. */
export function cacheJson({ entries, ...info }: CacheInfo): unknown {
  return {
    ...info,
    entries: entries.map(({ made, used, ...entry }) => ({
      ...entry,
      made: timeOf(made),
      used: timeOf(used),
    })),
  };
}

/** Formats the result of clearing the cache for people. */
export function clearedText({
  directory,
  entries,
  bytes,
}: {
  directory: string;
  entries: number;
  bytes: number;
}): string {
  return `${escapeForTerminal(directory)}: removed ${grouped(BigInt(entries))} entries, ${grouped(BigInt(bytes))} bytes\n`;
}

function timeOf(milliseconds: number): string {
  return isoTime(BigInt(Math.floor(milliseconds)) * 1_000_000n);
}
