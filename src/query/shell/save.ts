import type { DuckDBConnection } from '@duckdb/node-api';
import { onSqlError } from '../../duckdb/sql-error.js';
import { quoteIdentifier, quoteText } from '../../duckdb/sql-text.js';
import { rejectLogs } from '../../export/database.js';
import { stageFile } from '../../output/staged.js';

const saved = 'sfkit_saved';

/** Writes tables into a DuckDB file that needs no sfkit. Views become tables. */
export async function saveDatabase(
  connection: DuckDBConnection,
  target: string,
  tables: readonly string[],
): Promise<void> {
  rejectLogs(target);
  const file = stageFile(target, 'sfkit.duckdb');
  try {
    await onSqlError(async () => {
      await connection.run(`ATTACH ${quoteText(file.path)} AS ${saved}`);
      try {
        for (const table of tables) {
          const name = quoteIdentifier(table);
          await connection.run(
            `CREATE TABLE ${saved}.main.${name} AS SELECT * FROM memory.main.${name}`,
          );
        }
        await connection.run(`CHECKPOINT ${saved}`);
      } finally {
        await connection.run(`DETACH ${saved}`);
      }
    }, target);
    await file.commit();
  } finally {
    file.discard();
  }
}
