import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, SfkitError } from '../engine/errors.js';
import type { RuleText } from './language.js';

const isRulesFile = /\.ya?ml$/;

/** All rules of the world are far smaller; what is larger was named by mistake. */
const mostBytes = 2 ** 26;

/** Reads files, and of directories the .yaml and .yml files in alphabetical order, not those of directories in them. */
export function readRuleFiles(paths: readonly string[]): RuleText[] {
  if (paths.length === 0) throw new SfkitError('INVALID_ARGUMENT', 'no rules are named');
  return paths.flatMap(filesOf).map((path) => ({ name: path, content: contentOf(path) }));
}

function filesOf(path: string): string[] {
  if (!statOf(path).isDirectory()) return [path];
  const names = guarded(path, () => readdirSync(path))
    .filter((name) => isRulesFile.test(name))
    .sort(byBytes)
    .map((name) => join(path, name))
    .filter((file) => !statOf(file).isDirectory());
  if (names.length === 0) throw new SfkitError('INPUT_NOT_FOUND', `${path} holds no .yaml or .yml file`);
  return names;
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
