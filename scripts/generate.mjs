// Generates sources from the tables in native/tables. Takes no arguments. The builds of both halves
// run it; run it yourself after a table changed. It writes a file only if the content changed.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

for (const part of [
  'columns.mjs',
  'schema.mjs',
  'events.mjs',
  'fields.mjs',
  'text.mjs',
  'reasons.mjs',
  'live.mjs',
  'libsysflow.mjs',
  'variables.mjs',
]) {
  const path = join(root, 'scripts', 'generate', part);
  if (!existsSync(path)) continue;
  const { generate } = await import(pathToFileURL(path).href);
  await generate(root);
}
