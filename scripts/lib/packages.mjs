import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCurrent, writeStamp } from './files.mjs';
import { root, run, say } from './run.mjs';

/** Installs the npm packages of the lock file unless they are installed already. */
export function ensureNpmPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.sfkit-lock');
  if (isCurrent(stamp, lock)) return;
  say('installing npm packages');
  // Without scripts: this package's own install script would build the engine, which the set-up
  // does next.
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    shell: process.platform === 'win32',
  });
  writeStamp(stamp, lock);
}
