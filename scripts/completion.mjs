// Writes dist/completion.{bash,zsh,fish} from oclif.manifest.json (scripts/manifest.mjs), the
// fields of filters and the saved queries. `sfkit completion` prints them. Usage: node
// scripts/completion.mjs
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { completionScripts } from './lib/completion.mjs';
import { root } from './lib/run.mjs';

const readJson = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));
const fields = readJson('native/tables/fields.json').fields.map(({ name, argument = '' }) =>
  argument === '' || argument.endsWith('?') ? name : `${name}[`,
);
const queries = readdirSync(join(root, 'queries'))
  .filter((name) => name.endsWith('.sql'))
  .map((name) => name.slice(0, -4))
  .sort();
for (const [shell, text] of Object.entries(
  completionScripts(readJson('oclif.manifest.json'), { fields, queries }),
)) {
  writeFileSync(join(root, 'dist', `completion.${shell}`), text);
}
