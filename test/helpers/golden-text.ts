import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './corpus.js';

/** The text of a file below test/; with SFKIT_UPDATE_GOLDEN=1 it becomes these lines first. */
export function goldenText(name: string, lines: readonly string[]): string {
  const path = join(root, 'test', name);
  if (process.env.SFKIT_UPDATE_GOLDEN) writeFileSync(path, `${lines.join('\n')}\n`);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
