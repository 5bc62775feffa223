import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The package `yaml`, loaded on first use: loading it takes longer than the rest of rule reading in most runs. */
export function yamlPackage(): typeof import('yaml') {
  return require('yaml');
}
