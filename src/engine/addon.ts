import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SfkitError } from './errors.js';
import type { NativeAddon } from './native.js';

export type { NativeSeqpacketSocket as SeqpacketSocket } from './native.js';

let loaded: NativeAddon | undefined;

/** Loads the native engine once: the local build, else the prebuilt engine for this machine. */
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
  const reason = failures.length > 0 ? failures.join('; ') : 'it is not built';
  throw new SfkitError(
    'ENGINE_NOT_FOUND',
    `cannot load the native engine: ${reason}; build it with \`${buildCommand()}\``,
  );
}

/** Paths to try, in order. scripts/lib/prebuilt.mjs writes the prebuilt ones. */
export function addonCandidates(): string[] {
  const libcs = process.platform === 'linux' ? ['-glibc', '-musl'] : [''];
  return [
    join(root, 'native', 'build', 'Release', 'sfkit.node'),
    ...libcs.map((libc) =>
      join(root, 'prebuilds', `${process.platform}-${process.arch}${libc}`, 'sfkit.node'),
    ),
  ];
}

/** Some package managers skip install scripts. Only a clone has tsconfig.json. */
function buildCommand(): string {
  return existsSync(join(root, 'tsconfig.json'))
    ? 'npm run setup'
    : `node ${join(root, 'scripts', 'install.mjs')}`;
}
