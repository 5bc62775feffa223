import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase, TableLoader } from '../../duckdb/database.js';
import type { ColumnBatch } from '../../engine/batch.js';
import type { TableName } from '../../engine/columns.gen.js';
import type { Session } from '../../engine/session.js';
import type { Summary } from '../../engine/summary.js';
import { CacheFailure } from './failure.js';

const memoryLimit = '512MB';

/** Reads a session to its end into tables of a new database file. `scratch`: a directory for temporary files. */
export async function makeDatabase(
  path: string,
  scratch: string,
  tables: readonly TableName[],
  session: Session<ColumnBatch>,
): Promise<Summary> {
  const rows = join(scratch, 'rows');
  const database = await orFail(async () => {
    mkdirSync(rows, 0o700);
    return openDatabase({ path, temporary: join(scratch, 'spill'), memoryLimit, threads: 1 });
  });
  const loader = new TableLoader(database.connection, rows, { sharesText: false });
  try {
    await orFail(() => loader.create(tables));
    // An error of the session is about the input.
    for await (const batch of session) await orFail(async () => loader.append(batch));
    await orFail(async () => {
      await loader.finish();
      await database.connection.run('CHECKPOINT');
    });
  } finally {
    loader.close();
    database.close();
  }
  return session.summary();
}

async function orFail<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw new CacheFailure(error);
  }
}
