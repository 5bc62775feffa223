import type { DuckDBConnection } from '@duckdb/node-api';
import { StatementType } from '../duckdb/api.js';
import { sealedConnection } from '../duckdb/database.js';
import { onSqlError } from '../duckdb/sql-error.js';
import { SfkitError } from '../engine/errors.js';

/**
 * Rejects SQL without a statement, and statements that install or load extensions: answers must not
 * depend on the network or on what is installed. In a sandbox, statements about other databases and
 * files are rejected too.
 */
export async function checkStatements(
  connection: DuckDBConnection,
  sql: string,
  { sandbox = false }: { sandbox?: boolean } = {},
): Promise<void> {
  const refused = sandbox ? dangerous.exec(sql)?.[1] : undefined;
  if (refused !== undefined)
    throw new SfkitError('SQL_ERROR', `not allowed in a sandbox: ${refused.toLowerCase()}`);
  // Determining a statement's type reads the files that it names, and a pipe can be read only once.
  const sealed = await sealedConnection();
  const types = await statementTypes(sealed, sql).catch((error) => {
    if (sandbox) return onSqlError(() => Promise.reject(error));
    // IMPORT expands to the statements in its files.
    return onSqlError(() => statementTypes(connection, sql));
  });
  if (sandbox && types.some((type) => type !== undefined && outside.has(type)))
    throw new SfkitError(
      'SQL_ERROR',
      'not allowed in a sandbox: ATTACH, DETACH, COPY, EXPORT and IMPORT',
    );
  if (types.length === 0)
    throw new SfkitError('INVALID_ARGUMENT', 'no SQL: only comments or semicolons');
  if (types.some((type) => type !== undefined && ofExtensions.has(type))) {
    throw new SfkitError(
      'SQL_ERROR',
      'INSTALL, LOAD and UPDATE EXTENSIONS are not allowed: sfkit uses no DuckDB extensions',
    );
  }
}

const ofExtensions = new Set([
  StatementType.LOAD,
  StatementType.EXTENSION,
  StatementType.UPDATE_EXTENSIONS,
]);

/** Statements whose subject is another database or a file. */
const outside = new Set([
  StatementType.ATTACH,
  StatementType.DETACH,
  StatementType.COPY,
  StatementType.COPY_DATABASE,
  StatementType.EXPORT,
]);

/**
 * Functions that a sandbox does not have. DuckDB writes logs without regard to its own
 * restrictions, and ends the process if it may not. The others could compose the name of the first
 * at run time.
 */
const dangerous =
  /(enable_logging|\b(?:query|query_table|json_execute_serialized_sql)(?="?(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*\())/i;

/**
 * Undefined if a statement needs the result of an earlier one; statements about extensions need
 * nothing.
 */
async function statementTypes(
  connection: DuckDBConnection,
  sql: string,
): Promise<readonly (StatementType | undefined)[]> {
  // The library returns an error for SQL without statements, so append one.
  const statements = await connection.extractStatements(`${sql}\n;SELECT 1`);
  const types: (StatementType | undefined)[] = [];
  for (let index = 0; index < statements.count - 1; index++) {
    const prepared = await statements.prepare(index).catch(() => undefined);
    types.push(prepared?.statementType);
    prepared?.destroySync();
  }
  return types;
}
