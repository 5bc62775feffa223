import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SfkitError } from './errors.js';
import type { NativeAddon } from './native.js';

let loaded: NativeAddon | undefined;

/** The native engine, loaded once: the one built here, else the prebuilt one that fits this machine. */
export function loadAddon(): NativeAddon {
  loaded ??= load();
  return loaded;
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

function load(): NativeAddon {
  const require = createRequire(import.meta.url);
  const failures: string[] = [];
  for (const path of addonCandidates()) {
    if (!existsSync(path)) continue;
    try {
      return require(path) as NativeAddon;
    } catch (error) {
      failures.push((error as Error).message.split('\n', 1)[0] ?? '');
    }
  }
  const reason = failures.length > 0 ? failures.join('; ') : 'it was not built';
  throw new SfkitError(
    'ENGINE_NOT_FOUND',
    `the native engine does not load: ${reason}; build it with \`${buildCommand()}\``,
  );
}

/** Where the engine may be; the prebuilt ones where scripts/lib/prebuilt.mjs puts them. */
export function addonCandidates(): string[] {
  const libcs = process.platform === 'linux' ? ['-glibc', '-musl'] : [''];
  return [
    join(root, 'native', 'build', 'Release', 'sfkit.node'),
    ...libcs.map((libc) => join(root, 'prebuilds', `${process.platform}-${process.arch}${libc}`, 'sfkit.node')),
  ];
}

/** Some package managers leave out install scripts; a clone is told apart by what no package holds. */
function buildCommand(): string {
  return existsSync(join(root, 'tsconfig.json')) ? 'npm run setup' : `node ${join(root, 'scripts', 'install.mjs')}`;
}
