import * as Flags from '@oclif/core/flags';
import { escapeForTerminal } from '../engine/escape.js';
import { cachePlace } from '../query/cache/place.js';
import { CaptureCache } from '../query/cache/store.js';
import { parseSize } from '../query/size.js';

const helpGroup = 'CACHE';

/** Maximum bytes of all entries, unless the user sets another. */
const usualLimit = 8e9;

const variable = 'SFKIT_CACHE_SIZE';

/** The flags of commands that use the cache. */
export const cacheFlags = {
  cache: Flags.boolean({
    helpGroup,
    allowNo: true,
    default: true,
    description:
      'keep the tables of captures and SysFlow files for later runs, in the cache directory of the user',
  }),
  'cache-size': Flags.string({
    helpGroup,
    helpValue: 'SIZE',
    description: `maximum size of the cache; the tables that were not used for longest go first (default: $${variable}, else 8GB; 0: no cache)`,
  }),
};

/** Opens the user's cache. Undefined if the user wants none, or if there is no place for it. */
export function openCache(flags: {
  cache: boolean;
  'cache-size'?: string | undefined;
}): CaptureCache | undefined {
  const limit = cacheLimit(flags['cache-size']);
  if (!flags.cache || limit === 0) return undefined;
  const place = cachePlace(process.env, true);
  if (place.kind === 'unsafe')
    process.stderr.write(
      `sfkit: ${escapeForTerminal(`working without a cache: ${place.reason}`)}\n`,
    );
  if (place.kind !== 'usable') return undefined;
  return new CaptureCache(place.path, limit);
}

/** Maximum bytes of the cache. */
export function cacheLimit(flag?: string): number {
  if (flag !== undefined) return parseSize('--cache-size', flag);
  const text = process.env[variable];
  return text === undefined || text === '' ? usualLimit : parseSize(variable, text);
}
