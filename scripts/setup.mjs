// Sets up everything that sfkit needs to run from a clone: system packages, npm packages, engine,
// TypeScript. Needs only Node. It skips what is up to date, so a second run is quick.
//
// Usage: node scripts/setup.mjs [--tests]
//   --tests   also the C++ tests and what the tests need
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureNative } from './lib/native.mjs';
import { ensureNpmPackages } from './lib/packages.mjs';
import { isStrict, succeeds } from './lib/run.mjs';
import { installWithApt } from './lib/system.mjs';
import { ensureTypeScript } from './lib/typescript.mjs';

export function setUp({ tests }) {
  ensureNpmPackages();
  ensureNative({ tests });
  ensureTypeScript();
  if (tests && isStrict) ensureShells();
}

/** The shells whose completion the tests try; tests leave out a missing shell. */
function ensureShells() {
  const missing = ['fish', 'zsh'].filter((shell) => !succeeds(shell, ['--version']));
  if (missing.length > 0) installWithApt(missing);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  setUp({ tests: process.argv.includes('--tests') });
}
