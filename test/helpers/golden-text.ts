import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './corpus.js';

/** The text of a file in test/; SFKIT_UPDATE_GOLDEN=1 first writes these lines to it. */
export function goldenText(name: string, lines: readonly string[]): string {
  const path = join(root, 'test', name);
  if (process.env.SFKIT_UPDATE_GOLDEN) writeFileSync(path, `${lines.join('\n')}\n`);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
