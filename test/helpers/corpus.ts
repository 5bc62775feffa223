import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Captures that may lie beside the clone; tests of them are skipped where they do not. */
export const corpus = join(root, '..', 'shared', 'corpus');
export const hasCorpus = existsSync(corpus);

/** Captures of this project's own making. */
export const fixtures = join(root, 'fixtures');

/** Paths of the captures in a directory. */
export function capturesIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.scap'))
    .sort()
    .map((name) => join(directory, name));
}

/** Paths of all captures of the corpus, and what names one there: 'modern/b_net'. */
export function corpusCaptures(): { name: string; path: string }[] {
  if (!hasCorpus) return [];
  return readdirSync(corpus, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => capturesIn(join(corpus, entry.name)))
    .map((path) => ({ name: relative(corpus, path).replace(/\.scap$/, ''), path }));
}
