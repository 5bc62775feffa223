// Sets up everything that sfkit needs to run from a clone: system packages, npm packages, engine,
// TypeScript. Needs only Node. It skips what is up to date, so a second run is quick. Usage: node
// scripts/setup.mjs [--tests]
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureNative } from './lib/native.mjs';
import { ensureNpmPackages } from './lib/packages.mjs';
import { ensureTypeScript } from './lib/typescript.mjs';

export function setUp({ tests }) {
  ensureNpmPackages();
  ensureNative({ tests });
  ensureTypeScript();
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  setUp({ tests: process.argv.includes('--tests') });
}
