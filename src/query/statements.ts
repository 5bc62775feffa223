import { type DuckDBConnection, StatementType } from '@duckdb/node-api';
import { openDatabase } from '../duckdb/database.js';
import { onSqlError } from '../duckdb/sql-error.js';
import { SfkitError } from '../engine/errors.js';

/**
 * Refuses SQL without a statement, and statements that install or load extensions: answers come without the
 * network and do not depend on what is installed.
 */
export async function checkStatements(connection: DuckDBConnection, sql: string): Promise<void> {
  // Finding out a statement's type looks at the files it names, and a pipe can be read once only.
  const sealed = await openDatabase({ sealed: true });
  try {
    const types = await statementTypes(sealed.connection, sql).catch(() =>
      // IMPORT is a statement for each one in its files.
      onSqlError(() => statementTypes(connection, sql)),
    );
    if (types.length === 0) throw new SfkitError('INVALID_ARGUMENT', 'no SQL: only comments or semicolons');
    if (types.some((type) => type !== undefined && ofExtensions.has(type))) {
      throw new SfkitError('SQL_ERROR', 'INSTALL, LOAD and UPDATE EXTENSIONS: sfkit uses no extensions of DuckDB');
    }
  } finally {
    sealed.close();
  }
}

const ofExtensions = new Set([StatementType.LOAD, StatementType.EXTENSION, StatementType.UPDATE_EXTENSIONS]);

/** Undefined where the statement needs what an earlier one makes; those on extensions need nothing. */
async function statementTypes(
  connection: DuckDBConnection,
  sql: string,
): Promise<readonly (StatementType | undefined)[]> {
  // With a statement of ours at the end, as the library takes none at all for a broken one.
  const statements = await connection.extractStatements(`${sql}\n;SELECT 1`);
  const types: (StatementType | undefined)[] = [];
  for (let index = 0; index < statements.count - 1; index++) {
    const prepared = await statements.prepare(index).catch(() => undefined);
    types.push(prepared?.statementType);
    prepared?.destroySync();
  }
  return types;
}
