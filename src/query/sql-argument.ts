import { existsSync } from 'node:fs';
import { captureTables, tables } from '../engine/columns.gen.js';
import { SfkitError } from '../engine/errors.js';
import { standardInput } from '../engine/input-kind.js';
import { similarNames } from './errors/names.js';

const isWord = /^[a-z_][a-z0-9_]*$/i;
const tableNames = [...tables, ...captureTables].map(({ name }) => name);

export interface InputsAndSql {
  inputs: string[];
  /** Undefined: read it from standard input. */
  sql: string | undefined;
}

/**
 * Puts a blank before SQL that starts with a comment line, so that no parser takes it for a flag.
 */
export function shieldComment(args: readonly string[]): string[] {
  const isCommented = /^--(?![\w-]+=)[^\n]*\n/;
  return args.map((arg, index) =>
    index === args.length - 1 && isCommented.test(arg) ? ` ${arg}` : arg,
  );
}

/**
 * Takes the name of a saved query (@connections) out of the arguments. A file of that name is given
 * as ./@connections.
 */
export function takeQueryName(args: readonly string[]): {
  name: string | undefined;
  rest: string[];
} {
  const names = args.filter((arg) => /^@[^/\s]+$/.test(arg));
  if (names.length > 1)
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${names.join(' and ')}: only one saved query can run at a time`,
    );
  return { name: names[0]?.slice(1), rest: args.filter((arg) => arg !== names[0]) };
}

/**
 * Separates inputs from SQL. The last argument is SQL if no file has that name and it contains a
 * blank, as every SQL statement does, or is empty. All others are inputs. With a file of SQL
 * (`hasFile`) every argument is an input. With `needsSql`, standard input cannot be the only source
 * of SQL and an input too.
 */
export function splitArguments(
  args: readonly string[],
  hasFile: boolean,
  needsSql = true,
): InputsAndSql {
  const last = args.at(-1);
  const isSql = !hasFile && last !== undefined && /\s|^$/.test(last) && !existsSync(last);
  const inputs = isSql ? args.slice(0, -1) : [...args];
  if (inputs.length === 0) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      isSql
        ? 'no input: name a capture, file or directory before the SQL'
        : 'no input: name a capture, file or directory',
    );
  }
  for (const input of inputs) {
    if (input === '') throw new SfkitError('INVALID_ARGUMENT', 'an input has an empty name');
    if (input === standardInput || existsSync(input)) continue;
    if (hasFile && /\s/.test(input)) {
      throw new SfkitError(
        'INVALID_ARGUMENT',
        `${input}: no such file; with -q the SQL comes from the file, and every argument is an input`,
      );
    }
    if (input === last && inputs.length > 1 && !hasFile) {
      const table = isWord.test(input) ? similarNames(input, tableNames)[0] : undefined;
      const hint =
        table === undefined
          ? ' (and not SQL, which contains a blank)'
          : table === input
            ? `; it is a table: write 'from ${table}'`
            : `, and no table; did you mean 'from ${table}'?`;
      throw new SfkitError('INPUT_NOT_FOUND', `${input}: no such file or directory${hint}`);
    }
    throw new SfkitError('INPUT_NOT_FOUND', `${input}: no such file or directory`);
  }
  if (inputs.filter((input) => input === standardInput).length > 1) {
    throw new SfkitError('INVALID_ARGUMENT', 'standard input (-) can be read only once');
  }
  if (!isSql && !hasFile && needsSql && inputs.includes(standardInput)) {
    throw new SfkitError(
      'INVALID_ARGUMENT',
      'no SQL: standard input is the capture; give it as the last argument or with -q FILE',
    );
  }
  return { inputs, sql: isSql ? last : undefined };
}
