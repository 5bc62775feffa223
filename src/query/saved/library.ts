import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SfkitError } from '../../engine/errors.js';
import { nearest } from '../../engine/nearest.js';
import { parseSavedQuery, type SavedQuery } from './head.js';

// Finds saved queries: the user's, which come first, and those of the package.

const ending = '.sql';
const packageRoot = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Directories with queries, in search order. */
export function queryDirectories(environment: NodeJS.ProcessEnv = process.env): string[] {
  return [userDirectory(environment), join(packageRoot, 'queries')].filter(
    (path) => path !== undefined,
  );
}

/**
 * The user's directory for queries, which need not exist; undefined if the home directory is
 * unknown.
 */
function userDirectory(environment: NodeJS.ProcessEnv): string | undefined {
  const { SFKIT_QUERIES: own, XDG_CONFIG_HOME: config } = environment;
  if (own) return own;
  if (config) return join(config, 'sfkit', 'queries');
  try {
    return join(homedir(), '.config', 'sfkit', 'queries');
  } catch {
    return undefined;
  }
}

/** All queries, sorted by name. Skips files that are not valid queries. */
export function listQueries(directories = queryDirectories()): SavedQuery[] {
  const found = new Map<string, SavedQuery>();
  for (const directory of directories) {
    for (const name of namesIn(directory)) {
      if (found.has(name)) continue;
      try {
        found.set(name, readQuery(directory, name));
      } catch (error) {
        if (!(error instanceof SfkitError)) throw error;
      }
    }
  }
  return [...found.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Finds a query by name. */
export function findQuery(name: string, directories = queryDirectories()): SavedQuery {
  const directory = directories.find((candidate) => namesIn(candidate).includes(name));
  if (directory !== undefined) return readQuery(directory, name);
  const known = directories.flatMap(namesIn);
  const near = nearest(name, known);
  throw new SfkitError(
    'INVALID_ARGUMENT',
    `no saved query '${name}'${near === undefined ? '' : `; did you mean '@${near}'?`} (sfkit query --list names them)`,
  );
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(ending) && !name.startsWith('.'))
      .map((name) => name.slice(0, -ending.length))
      .sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new SfkitError('INPUT_NOT_FOUND', `${directory}: cannot be read: ${code}`);
  }
}

function readQuery(directory: string, name: string): SavedQuery {
  const path = join(directory, `${name}${ending}`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SfkitError(
      'INPUT_NOT_FOUND',
      `${path}: cannot be read: ${(error as NodeJS.ErrnoException).code}`,
    );
  }
  return parseSavedQuery(name, path, text);
}
