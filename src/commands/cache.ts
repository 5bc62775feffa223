import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { cacheLimit } from '../cli/cache-flags.js';
import { cacheJson, cacheText, clearedText } from '../cli/cache-text.js';
import { standardScreen } from '../draw/screen.js';
import { SfkitError } from '../engine/errors.js';
import { jsonDocument } from '../export/values.js';
import { cachePlace } from '../query/cache/place.js';
import { CaptureCache } from '../query/cache/store.js';

export default class Cache extends Command {
  static override summary = 'Show or clear the cache of sfkit query.';

  static override description =
    `sfkit query keeps the tables of captures and SysFlow files in $XDG_CACHE_HOME/sfkit or ~/.cache/sfkit, and later queries start without reading the input again. info lists what is there, clear removes it.

Exit code: 0 done, 1 failed, 2 usage error.`;

  static override examples = [
    { description: 'What the cache holds', command: '<%= config.bin %> cache info' },
    { description: 'Remove everything from it', command: '<%= config.bin %> cache clear' },
  ];

  static override args = {
    action: Args.string({ required: true, options: ['info', 'clear'], description: 'what to do' }),
  };

  static override flags = { json: Flags.boolean({ description: 'print the result as JSON' }) };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Cache);
    const place = cachePlace(process.env, false);
    if (place.kind !== 'usable')
      throw new SfkitError('OUTPUT_UNWRITABLE', `there is no cache: ${place.reason}`);
    const limit = cacheLimit();
    const cache = new CaptureCache(place.path, limit);
    if (args.action === 'clear') {
      const cleared = { directory: place.path, ...cache.clear() };
      process.stdout.write(flags.json ? jsonDocument(cleared) : clearedText(cleared));
      return;
    }
    const entries = cache.list();
    const info = {
      directory: place.path,
      limit,
      bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
      entries,
    };
    process.stdout.write(
      flags.json ? jsonDocument(cacheJson(info)) : cacheText(info, standardScreen()),
    );
  }
}
