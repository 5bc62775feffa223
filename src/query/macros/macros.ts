import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DuckDBConnection } from '@duckdb/node-api';
import { SfkitError } from '../../engine/errors.js';

// SQL macros that every statement can call: files of the package, queries/macros/NAME.sql. Each has
// comment lines that are YAML (title, description, example), then one CREATE MACRO.

export interface Macro {
  name: string;
  parameters: readonly string[];
  /** Whether it belongs into FROM. */
  isTable: boolean;
  /** The text of its file. */
  text: string;
  /** CREATE MACRO. */
  sql: string;
  /** Its definition as a statement, which shows the tables and macros that it uses. */
  definition: string;
}

const directory = join(
  dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))),
  'queries',
  'macros',
);
const ending = '.sql';

/** Names of all macros, sorted. */
export function macroNames(): string[] {
  const files = readdirSync(directory).filter((name) => name.endsWith(ending));
  return files.map((name) => name.slice(0, -ending.length)).sort();
}

/** Reads a macro by its name, which exists. */
export function readMacro(name: string): Macro {
  const path = join(directory, `${name}${ending}`);
  const text = readFileSync(path, 'utf8');
  const found = /^CREATE MACRO (\w+)\(([^)]*)\) AS( TABLE)?\b([\s\S]*)$/m.exec(text);
  if (found === null || found[1] !== name)
    throw new SfkitError('INVALID_ARGUMENT', `${path}: expected CREATE MACRO ${name}(…) AS …`);
  const [sql, , parameters = '', table, body = ''] = found;
  return {
    name,
    parameters: parameters.split(',').flatMap((each) => each.trim() || []),
    isTable: table !== undefined,
    text,
    sql,
    definition: table === undefined ? `SELECT ${body.trim()}` : body.trim(),
  };
}

/** The macros that SQL calls, and those that they call; each after the ones that it needs. */
export function macrosIn(sql: string): Macro[] {
  const names = macroNames();
  const found = new Map<string, Macro>();
  const visit = (text: string) => {
    for (const name of callsIn(text, names)) {
      if (found.has(name)) continue;
      const macro = readMacro(name);
      visit(macro.definition);
      found.set(name, macro);
    }
  };
  visit(sql);
  return [...found.values()];
}

/** All macros; each after the ones that it needs. */
export function allMacros(): Macro[] {
  return macrosIn(
    macroNames()
      .map((name) => `${name}()`)
      .join(' '),
  );
}

function callsIn(sql: string, names: readonly string[]): string[] {
  const called = new Set(
    [...sql.matchAll(/(\w+)"?\s*\(/g)].map(([, name]) => (name as string).toLowerCase()),
  );
  return names.filter((name) => called.has(name));
}

/**
 * The SQL with the definitions of its macros, for finding out which tables it reads. It is not for
 * running.
 */
export function withDefinitions(sql: string, macros: readonly Macro[]): string {
  return [sql, ...macros.map(({ definition }) => definition)].join('\n;\n');
}

/** Creates macros; the tables that table macros read must exist. */
export async function createMacros(
  connection: DuckDBConnection,
  macros: readonly Macro[],
): Promise<void> {
  for (const { sql } of macros) await connection.run(sql.replace('MACRO', 'OR REPLACE TEMP MACRO'));
}
