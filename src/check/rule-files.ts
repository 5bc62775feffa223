import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, SfkitError } from '../engine/errors.js';
import type { RuleText } from './language.js';

const isRulesFile = /\.(?:ya?ml|sql)$/;

/** Real rule files are far smaller: a larger file was named by mistake. */
const maxBytes = 2 ** 26;

/** Limits for nested directories and their files: a larger tree was named by mistake. */
const maxNested = 32;
const maxFiles = 100_000;

/**
 * Reads files, and the .yaml, .yml and .sql files of directories in alphabetical order. Reads files
 * of subdirectories only if `isNested` accepts them.
 */
export function readRuleFiles(
  paths: readonly string[],
  isNested: (file: RuleText) => boolean = () => false,
): RuleText[] {
  if (paths.length === 0) throw new SfkitError('INVALID_ARGUMENT', 'no rules are named');
  return paths.flatMap((path) => {
    if (!statOf(path).isDirectory()) return [textOf(path)];
    const inside = filesIn(path).map(textOf);
    const nested = nestedFiles(path).map(textOf).filter(isNested);
    if (inside.length + nested.length === 0)
      throw new SfkitError('INPUT_NOT_FOUND', `${path} holds no .yaml, .yml or .sql file`);
    return [...inside, ...nested];
  });
}

function textOf(path: string): RuleText {
  return { name: path, content: contentOf(path) };
}

function filesIn(directory: string): string[] {
  return namesIn(directory)
    .filter((name) => isRulesFile.test(name))
    .map((name) => join(directory, name))
    .filter((file) => !statOf(file).isDirectory());
}

function nestedFiles(directory: string): string[] {
  const found: string[] = [];
  const walk = (path: string, depth: number) => {
    if (depth > maxNested) return;
    for (const name of namesIn(path)) {
      const inner = join(path, name);
      // Does not follow links: they could form a cycle.
      if (!withReadErrors(inner, () => lstatSync(inner)).isDirectory()) continue;
      found.push(...filesIn(inner));
      if (found.length > maxFiles)
        throw new SfkitError(
          'INPUT_NOT_SUPPORTED',
          `${directory} holds more than ${maxFiles} rule files`,
        );
      walk(inner, depth + 1);
    }
  };
  walk(directory, 0);
  return found;
}

function namesIn(directory: string): string[] {
  return withReadErrors(directory, () => readdirSync(directory)).sort(byBytes);
}

function contentOf(path: string): string {
  const { size } = statOf(path);
  if (size > maxBytes)
    throw new SfkitError(
      'INPUT_NOT_SUPPORTED',
      `${path} is not a rule file: it has more than ${maxBytes} bytes`,
    );
  return withReadErrors(path, () => readFileSync(path, 'utf8'));
}

function statOf(path: string) {
  return withReadErrors(path, () => statSync(path));
}

function withReadErrors<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const code = isMissing ? 'INPUT_NOT_FOUND' : 'INPUT_UNREADABLE';
    throw new SfkitError(code, `cannot read rules ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
