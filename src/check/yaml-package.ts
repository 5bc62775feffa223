import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The package `yaml`. Loading it takes longer than most runs need for all else of their rules: only who needs it does. */
export function yamlPackage(): typeof import('yaml') {
  return require('yaml');
}
