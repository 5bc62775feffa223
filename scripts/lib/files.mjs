import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Modification time, in ms, of the newest file at or below the paths; skips folders named in
 * `skip`.
 */
export function newest(paths, skip = []) {
  let latest = 0;
  for (const path of paths) {
    const info = statSync(path, { throwIfNoEntry: false });
    if (!info) continue;
    latest = Math.max(latest, info.mtimeMs);
    if (!info.isDirectory()) continue;
    const below = readdirSync(path).filter((name) => !skip.includes(name));
    const children = below.map((name) => join(path, name));
    latest = Math.max(latest, newest(children, skip));
  }
  return latest;
}

/**
 * Whether the stamp has this text and is not older than the sources: then the build is up to date.
 */
export function isCurrent(stamp, text, sourceTime = 0) {
  const info = statSync(stamp, { throwIfNoEntry: false });
  return info !== undefined && info.mtimeMs >= sourceTime && readFileSync(stamp, 'utf8') === text;
}

/** `startedAt`: start of the build, so that a file changed during the build counts as newer. */
export function writeStamp(stamp, text, startedAt = Date.now()) {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, text);
  utimesSync(stamp, startedAt / 1000, startedAt / 1000);
}
