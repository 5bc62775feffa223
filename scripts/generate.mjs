// Writes the sources that follow from the tables in native/tables. Takes no arguments; run it after a table
// changed (the builds of both halves do). A file is touched only when its content changes.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

for (const part of ['columns.mjs', 'schema.mjs', 'events.mjs', 'fields.mjs', 'text.mjs', 'reasons.mjs', 'live.mjs']) {
  const path = join(root, 'scripts', 'generate', part);
  if (!existsSync(path)) continue;
  const { generate } = await import(pathToFileURL(path).href);
  await generate(root);
}
