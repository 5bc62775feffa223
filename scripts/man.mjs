// Writes man/*.1, the manual pages, from oclif.manifest.json (scripts/manifest.mjs).
// Usage: node scripts/man.mjs
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manPages } from './lib/man-pages.mjs';
import { root } from './lib/run.mjs';

const readJson = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));
const directory = join(root, 'man');
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory);
for (const [name, text] of manPages(readJson('oclif.manifest.json'), readJson('package.json'))) {
  writeFileSync(join(directory, name), text);
}
