import { type DuckDBConnection, StatementType } from '@duckdb/node-api';
import { openDatabase } from '../duckdb/database.js';
import { onSqlError } from '../duckdb/sql-error.js';
import { SfkitError } from '../engine/errors.js';

/**
 * Rejects SQL without a statement, and statements that install or load extensions: answers must not depend on the network
 * or on what is installed.
 */
export async function checkStatements(connection: DuckDBConnection, sql: string): Promise<void> {
  // Determining a statement's type reads the files that it names, and a pipe can be read only once.
  const sealed = await openDatabase({ sealed: true });
  try {
    const types = await statementTypes(sealed.connection, sql).catch(() =>
      // IMPORT expands to the statements in its files.
      onSqlError(() => statementTypes(connection, sql)),
    );
    if (types.length === 0) throw new SfkitError('INVALID_ARGUMENT', 'no SQL: only comments or semicolons');
    if (types.some((type) => type !== undefined && ofExtensions.has(type))) {
      throw new SfkitError(
        'SQL_ERROR',
        'INSTALL, LOAD and UPDATE EXTENSIONS are not allowed: sfkit uses no DuckDB extensions',
      );
    }
  } finally {
    sealed.close();
  }
}

const ofExtensions = new Set([StatementType.LOAD, StatementType.EXTENSION, StatementType.UPDATE_EXTENSIONS]);

/** Undefined if a statement needs the result of an earlier one; statements about extensions need nothing. */
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
