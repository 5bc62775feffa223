import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Captures that may exist next to the clone; their tests are skipped if they do not. */
export const corpus = join(root, '..', 'shared', 'corpus');
export const hasCorpus = existsSync(corpus);

/** Captures made by this project. */
export const fixtures = join(root, 'fixtures');

/** Paths of the captures in a directory. */
export function capturesIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.scap'))
    .sort()
    .map((name) => join(directory, name));
}

/** Paths of all captures of the corpus, and their names, such as 'modern/b_net'. */
export function corpusCaptures(): { name: string; path: string }[] {
  if (!hasCorpus) return [];
  return readdirSync(corpus, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => capturesIn(join(corpus, entry.name)))
    .map((path) => ({ name: relative(corpus, path).replace(/\.scap$/, ''), path }));
}
