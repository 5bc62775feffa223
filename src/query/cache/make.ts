import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase, TableLoader } from '../../duckdb/database.js';
import type { ColumnBatch } from '../../engine/batch.js';
import type { TableName } from '../../engine/columns.gen.js';
import type { Session } from '../../engine/session.js';
import type { Summary } from '../../engine/summary.js';
import { CacheFailure } from './failure.js';

const memoryLimit = '512MB';

/**
 * The tables of a cache hold every text in full. An input whose rows repeat large texts, which only
 * a crafted one does, is not kept: its text has more bytes than the first number, and more for each
 * byte of the input than the second.
 */
const maxText = 256 << 20;
const maxTextPerByte = 16;

/**
 * Reads a session to its end into tables of a new database file. `scratch`: a directory for
 * temporary files.
 */
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
    let text = 0;
    // An error of the session is about the input.
    for await (const batch of session) {
      text += textBytes(batch);
      if (text > maxText && text > maxTextPerByte * Number(session.summary().bytes))
        throw new CacheFailure(new Error('its rows repeat large texts'));
      await orFail(async () => loader.append(batch));
    }
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

/** Bytes of text in a batch if each row holds its own. */
function textBytes(batch: ColumnBatch): number {
  const { offsets } = batch.encodedStrings;
  let sum = 0;
  for (const { type, values } of batch.columns) {
    if (type !== 'str') continue;
    const texts = values as Uint32Array;
    for (let row = 0; row < texts.length; row++) {
      const index = texts[row] as number;
      if (index < offsets.length - 1)
        sum += (offsets[index + 1] as number) - (offsets[index] as number);
    }
  }
  return sum;
}

async function orFail<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw new CacheFailure(error);
  }
}
