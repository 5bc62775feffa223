import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, SfkitError } from '../engine/errors.js';
import type { RuleText } from './language.js';

const isRulesFile = /\.(?:ya?ml|sql)$/;

/** All rules of the world are far smaller; what is larger was named by mistake. */
const mostBytes = 2 ** 26;

/** Directories within each other, and files in all of them; who has more named the wrong directory. */
const mostNested = 32;
const mostFiles = 100_000;

/**
 * Reads files, and of directories the .yaml, .yml and .sql files in alphabetical order. Of files in directories within them
 * only those that `isNested` takes are rules.
 */
export function readRuleFiles(
  paths: readonly string[],
  isNested: (file: RuleText) => boolean = () => false,
): RuleText[] {
  if (paths.length === 0) throw new SfkitError('INVALID_ARGUMENT', 'no rules are named');
  return paths.flatMap((path) => {
    if (!statOf(path).isDirectory()) return [textOf(path)];
    const inside = filesIn(path).map(textOf);
    const deeper = nestedFiles(path).map(textOf).filter(isNested);
    if (inside.length + deeper.length === 0)
      throw new SfkitError('INPUT_NOT_FOUND', `${path} holds no .yaml, .yml or .sql file`);
    return [...inside, ...deeper];
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
    if (depth > mostNested) return;
    for (const name of namesIn(path)) {
      const inner = join(path, name);
      // A link could lead back.
      if (!guarded(inner, () => lstatSync(inner)).isDirectory()) continue;
      found.push(...filesIn(inner));
      if (found.length > mostFiles)
        throw new SfkitError('INPUT_NOT_SUPPORTED', `${directory} holds more than ${mostFiles} rule files`);
      walk(inner, depth + 1);
    }
  };
  walk(directory, 0);
  return found;
}

function namesIn(directory: string): string[] {
  return guarded(directory, () => readdirSync(directory)).sort(byBytes);
}

function contentOf(path: string): string {
  const { size } = statOf(path);
  if (size > mostBytes)
    throw new SfkitError('INPUT_NOT_SUPPORTED', `${path} is no rules file: it has more than ${mostBytes} bytes`);
  return guarded(path, () => readFileSync(path, 'utf8'));
}

function statOf(path: string) {
  return guarded(path, () => statSync(path));
}

function guarded<Result>(path: string, read: () => Result): Result {
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
