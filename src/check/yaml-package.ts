import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Loads the package `yaml` on first use: loading often takes longer than reading the rules. */
export function yamlPackage(): typeof import('yaml') {
  return require('yaml');
}
